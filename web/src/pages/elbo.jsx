// The evidence lower bound: your code beside prior and posterior, what it pays, and the bound.
import { Lines } from "../charts/Lines.jsx";
import { Stacks } from "../charts/Stacks.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Log, Named, Of } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Point } from "../parts/Marks.jsx";
import { number, toNumber } from "../parts/format.js";
import { useContext } from "preact/hooks";

const CURVES = [
  ["prior", "prior p(z)", "rest", true],
  ["posterior", "posterior p(z | x)", "ink", true],
  ["code", "your q(z)", "gain", false],
];
const COSTS = {
  reconstruction: ["reconstruction", "keep"],
  code: ["KL(q ‖ prior)", "waste"],
  evidence: ["−log p(x)", "gain"],
  gap: ["KL(q ‖ posterior)", "rest"],
};

function Picture({ result, set }) {
  const small = useContext(Small);
  const { curves, costs, posterior, readouts } = result;
  return (
    <>
      <Lines name="codes" label="Prior, posterior and your q" height={300}
        description={`The posterior has mean ${posterior.mean.text} and standard deviation ${posterior.sd.text}. The prior has 0 and 1.`}
        series={CURVES.map(([key, name, color, dashed]) => ({ name, color, dashed, points: curves[key] }))}
        x={{ label: "code z", domain: [curves.code[0][0], curves.code.at(-1)[0]] }} y={{ label: "density" }} />
      {!small && (
        <>
          <Legend items={CURVES.map(([, name, color]) => ({ name, color }))} />
          <p class="run-buttons no-print">
            <button class="button" type="button"
              onClick={() => set({ mean: posterior.mean.value, sd: posterior.sd.value })}>
              Take the posterior
            </button>
          </p>
          <Stacks name="elbo" label="What q pays, and what it must pay" unit="nats"
            description={`${Object.entries(costs).map(([key, cost]) => `${COSTS[key][0]} ${cost.text}`).join("; ")} nats. The first two and the last two have the same sum, minus the ELBO: ${number(-readouts[0].value)}.`}
            stacks={[
              stack("−ELBO: what q pays", costs, ["reconstruction", "code"]),
              stack("the same: what no q can save, and the gap", costs, ["evidence", "gap"]),
            ]} />
          <Legend items={Object.entries(costs).map(([key, cost]) => ({
            name: COSTS[key][0], color: COSTS[key][1], value: cost.text, text: "nats",
          }))} />
          <Bound {...result} />
        </>
      )}
    </>
  );
}

function stack(name, costs, keys) {
  const parts = keys.map((key) => {
    const [name, color] = COSTS[key];
    return { name, color, value: toNumber(costs[key].value), text: costs[key].text };
  });
  return { name, parts: parts.filter((part) => part.value > 0) };
}

function Bound({ curve, here, evidence }) {
  const low = Math.min(here[1], evidence - 3);
  const room = (evidence - low) * 0.1;
  const level = curve.map(([mean]) => [mean, evidence]);
  return (
    <Lines name="bound" label="The bound over the mean of q" height={280}
      description={`At the width of q. The ELBO here is ${number(here[1])} nats; the level line is log p(x), ${number(evidence)}.`}
      series={[
        { name: "log p(x)", points: level, color: "ink", dashed: true },
        { name: "ELBO", points: curve, color: "keep" },
      ]}
      x={{ label: "mean of q", domain: [curve[0][0], curve.at(-1)[0]] }}
      y={{ label: "nats", domain: [low - room, evidence + room] }}
      over={(on) => <Point on={on} at={here} color="gain" />} />
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="log p of x is the ELBO plus the divergence of q from the posterior">
        <Log /><mi>p</mi><Of><mi>x</mi></Of><mo>=</mo>
        <mi>ELBO</mi><mo>+</mo>
        <mi>KL</mi><Of><mi>q</mi><mo>‖</mo><mi>p</mi><Of><mi>z</mi><mo>|</mo><mi>x</mi></Of></Of>
      </Formula>
      <Formula label="the ELBO is the average of log p of x given z over q, less the divergence of q from the prior">
        <mi>ELBO</mi><mo>=</mo>
        <Named name={<mtext>reconstruction</mtext>}>
          <msub><mi>E</mi><mi>q</mi></msub><Log /><mi>p</mi><Of><mi>x</mi><mo>|</mo><mi>z</mi></Of>
        </Named>
        <mo>−</mo>
        <Named name={<mtext>code</mtext>}>
          <mi>KL</mi><Of><mi>q</mi><mo>‖</mo><mi>p</mi><Of><mi>z</mi></Of></Of>
        </Named>
      </Formula>
      <Formula label="for a normal q and the standard normal prior, the divergence is one half of mu squared plus sigma squared minus one minus log sigma squared">
        <mi>KL</mi><Of><mi>q</mi><mo>‖</mo><mi>p</mi><Of><mi>z</mi></Of></Of><mo>=</mo>
        <mfrac><mn>1</mn><mn>2</mn></mfrac>
        <Of>
          <msup><mi>μ</mi><mn>2</mn></msup><mo>+</mo><msup><mi>σ</mi><mn>2</mn></msup>
          <mo>−</mo><mn>1</mn><mo>−</mo><Log /><msup><mi>σ</mi><mn>2</mn></msup>
        </Of>
      </Formula>
      <p>
        The model draws a hidden z from the prior and makes x of it. How likely x is would take an integral over all z,
        which is out of reach for most models. Any q gives a bound instead, with two parts that can be computed: how well
        x is described by a z from q, and how far q is from the prior. A divergence is never negative, so the bound is
        never above log p(x).
      </p>
      <p>
        In a variational autoencoder a network gives μ and log σ² for each x, the first part is estimated from a draw of
        z, and the second has the form above, summed over the dimensions of z. Here the model is linear and normal, so
        that all is exact, log p(x) and the gap too. The gap is a divergence in reverse: q is in front, so a q that
        cannot be the posterior keeps to where the posterior is high.
      </p>
    </>
  );
}

export default { Picture, Text };
