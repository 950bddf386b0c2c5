// Likelihood: the data under the model, and the cross-entropy over the parameter.
import { Columns } from "../charts/Columns.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Log, Named, Of, Sub } from "../parts/Formula.jsx";
import { Point, Stroke } from "../parts/Marks.jsx";
import { number, toNumber } from "../parts/format.js";
import { useContext } from "preact/hooks";

function turned({ data }) {
  return data === "coin" ? ["data", "heads", "tails", "p"] : ["data", "values", "mean", "sd"];
}

function Picture({ result }) {
  const small = useContext(Small);
  const coin = result.outcomes !== undefined;
  return (
    <>
      {coin ? <Flips {...result} /> : <Density {...result} />}
      {!small && <Search {...result} parameter={coin ? "p, the chance of heads" : "mean of the model"} />}
    </>
  );
}

function Flips({ outcomes }) {
  return (
    <Columns name="flips" label="The flips and the model" axis="outcome" up="share of the flips" height={300}
      most={1.12} marked="the model"
      description={outcomes.map((o) => `${o.name}: ${o.share.text} of the flips, model ${o.prob.text}`).join("; ")}
      columns={outcomes.map((o) => ({
        name: o.name, value: o.share.value, text: o.share.text, color: "rest", mark: o.prob.value,
        tip: [o.name, `${o.share.text} of the flips`, `the model says ${o.prob.text}`],
      }))} />
  );
}

function Density({ density, observations }) {
  return (
    <Lines name="density" label="The values and the model" height={300}
      description={`A normal density; at the values it is ${observations
        .map((o) => `${o.density.text} at ${o.x.text}`)
        .join(", ")}.`}
      series={[{ name: "the model", points: density, color: "gain" }]}
      x={{ label: "value", domain: [density[0][0], density.at(-1)[0]] }}
      y={{ label: "density", domain: [0, 1.12 * Math.max(...density.map(([, y]) => y))] }}
      points={observations.length > 1 ? [] : observations.map(({ x, density: y }) => ({
        x: x.value, y: y.value, color: "waste", name: `${y.text} at ${x.text}`,
      }))}
      over={(on) =>
        observations.map(({ x, density: y }, i) => (
          <g key={i}>
            <Stroke on={on} ends={[[x.value, 0], [x.value, y.value]]} color="waste" />
            <Point on={on} at={[x.value, y.value]} color="waste" />
          </g>
        ))} />
  );
}

function Search({ curve, here, best, parameter }) {
  const highest = Math.max(...curve.map(([, y]) => y));
  const lowest = Math.min(best[1], ...curve.map(([, y]) => y));
  const room = (highest - lowest || 1) * 0.08;
  const cost = toNumber(here[1]);
  return (
    <Lines name="likelihood" label="Cross-entropy over the parameter" height={300}
      description={`Lowest at ${number(best[0])} with ${number(best[1])} nats; here ${number(cost)} nats.`}
      series={[{ name: "cross-entropy", points: curve, color: "keep" }]}
      x={{ label: parameter, domain: parameter.startsWith("p") ? [0, 1] : [curve[0][0], curve.at(-1)[0]] }}
      y={{ label: "nats per observation", domain: [lowest - room, highest + room] }}
      lines={[{ name: "the best", x: best[0] }]}
      points={[
        { x: here[0], y: Math.min(cost, highest), name: number(cost), color: "waste" },
      ]} />
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="minus log of the product over i of q of x i is N times the cross-entropy H of p hat and q">
        <mo>−</mo><Log />
        <munder><mo>∏</mo><mi>i</mi></munder><mi>q</mi><Of><Sub of="x" at="i" /></Of>
        <mo>=</mo>
        <mi>N</mi><mo>·</mo>
        <Named name={<mtext>cross-entropy</mtext>}>
          <mi>H</mi><Of><mover><mi>p</mi><mo>^</mo></mover><mo>,</mo><mi>q</mi></Of>
        </Named>
      </Formula>
      <Formula label="for a normal: minus log q of x is its entropy h of sigma, plus z squared minus 1 over 2, z being x minus mu over sigma">
        <mo>−</mo><Log /><mi>q</mi><Of><mi>x</mi></Of><mo>=</mo>
        <mi>h</mi><Of><mi>σ</mi></Of><mo>+</mo>
        <mfrac>
          <mrow><msup><mi>z</mi><mn>2</mn></msup><mo>−</mo><mn>1</mn></mrow>
          <mn>2</mn>
        </mfrac>
        <mo>,</mo><mspace width="0.5em" />
        <mi>z</mi><mo>=</mo>
        <mfrac><mrow><mi>x</mi><mo>−</mo><mi>μ</mi></mrow><mi>σ</mi></mfrac>
      </Formula>
      <p>
        The likelihood says how probable a parameter makes the data. The probabilities of independent observations
        multiply. The logarithm turns the product into a sum, and equal observations can be counted together: each
        outcome counts as often as it came, which is its share p̂ times N. With the sign changed, this is N times the
        cross-entropy of the model on the data. So the parameter of highest likelihood is that of lowest cross-entropy.
      </p>
      <p>
        For measured values the model gives a density, which is probability per unit of x. A density may be above 1, and
        then −log of it is below 0. For a normal, −log is a squared distance plus a constant: the least squared error is
        the highest likelihood of a normal of fixed width. How close the most likely parameter comes to the truth is
        the next page.
      </p>
    </>
  );
}

export default { Picture, Text, turned };
