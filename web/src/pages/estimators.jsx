// Estimators: their errors over the size of the sample with the least there can be, and one sample.
import { Lines } from "../charts/Lines.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Log, Of } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Point } from "../parts/Marks.jsx";
import { Table } from "../parts/Table.jsx";
import { number } from "../parts/format.js";
import { useContext } from "preact/hooks";

const COLORS = ["gain", "waste"];
const DECADES = [1, 10, 100];
const LEVELS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Only what the case depends on. */
function turned(state) {
  return ["case", "n", ...({ sd: ["sd"], coin: ["p"] }[state.case] ?? []), "seed"];
}

function Picture({ result }) {
  const small = useContext(Small);
  const { names, errors, bound, here, n, readouts } = result;
  const all = [bound, ...errors].flat().map(([, y]) => y);
  const domain = [Math.min(...all) * 0.8, Math.max(...all) * 1.25];
  const x = { label: "n, observations", scale: "log", domain: [1, bound.at(-1)[0]], ticks: DECADES };
  const series = (curves) => curves.map((points, i) => ({ name: names[i], points, color: COLORS[i] }));
  return (
    <>
      <Lines name="errors" label="The error over the size of the sample" height={320}
        description={`At n = ${n}: ${names[0]} errs by ${number(here[0])}, ${names[1]} by ${number(here[1])}, the bound is ${readouts[5].text}.`}
        series={[{ name: "Cramér–Rao bound", points: bound, color: "keep", dashed: true }, ...series(errors)]}
        x={x} y={{
          label: "root mean square error", scale: "log", domain,
          ticks: LEVELS.filter((y) => domain[0] <= y && y <= domain[1]),
        }}
        over={(on) => here.map((y, i) => <Point key={names[i]} on={on} at={[n, y]} color={COLORS[i]} />)} />
      {!small && (
        <>
          <Legend items={[
            ...names.map((name, i) => ({ name, color: COLORS[i], text: i ? "" : "(maximum likelihood)" })),
            { name: "Cramér–Rao bound", color: "keep", text: "of unbiased estimators" },
          ]} />
          <Growing {...result} x={x} series={series(result.growing)} />
        </>
      )}
    </>
  );
}

function Growing({ parameter, true: truth, spread, corridor, n, x, series }) {
  const rest = (name, points) => ({ name, points, color: "rest", dashed: true });
  return (
    <Lines name="growing" label="One sample that grows" height={300}
      description={`Both estimates come closer to the truth, ${number(truth)}, the more observations there are. The dashed lines are two bounds away from it.`}
      series={[
        rest("two bounds below the truth", corridor[0]), rest("two bounds above the truth", corridor[1]), ...series,
      ]}
      x={x} y={{ label: parameter, domain: [truth - 2.4 * spread, truth + 2.4 * spread] }}
      lines={[{ name: "n", x: n }]} />
  );
}

const COLUMNS = [
  ["name", "what is estimated", "name"], ["true", "truth", "number"], ["estimate", "from this sample", "number"],
  ["average", "average of all samples", "number"],
].map(([key, name, kind]) => ({ key, name, kind }));

function Extra({ result }) {
  const rows = result.functions.map((row) =>
    Object.fromEntries(COLUMNS.map(({ key }) => [key, key === "name" ? row.name : row[key].value])),
  );
  return (
    <section class="page-extra">
      <h2>Written otherwise</h2>
      <p>
        Each is a function of the {result.parameter}, and its most likely value is that function of the estimate. To be
        right on average is not handed on so: an average of squares is not the square of an average.
        {rows.some((row) => typeof row.average !== "number") &&
          " Some of the samples have only heads or only tails, and so infinite log-odds."}
      </p>
      <Table name="estimators" caption="Estimates by maximum likelihood" columns={COLUMNS} rows={rows} />
    </section>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="the standard deviation of an unbiased estimate theta hat is at least one over the square root of n times I of theta">
        <mi>sd</mi><Of><Hat of="θ" /></Of><mo>≥</mo>
        <mfrac>
          <mn>1</mn>
          <msqrt><mi>n</mi><mi>I</mi><Of><mi>θ</mi></Of></msqrt>
        </mfrac>
      </Formula>
      <Formula label="the Fisher information I of theta is minus the expectation of the second derivative by theta of log q of x given theta">
        <mi>I</mi><Of><mi>θ</mi></Of><mo>=</mo><mo>−</mo><mi>E</mi>
        <mfrac>
          <msup><mo>∂</mo><mn>2</mn></msup>
          <mrow><mo>∂</mo><msup><mi>θ</mi><mn>2</mn></msup></mrow>
        </mfrac>
        <Log /><mi>q</mi><Of><mi>x</mi><mo>;</mo><mi>θ</mi></Of>
      </Formula>
      <Formula label="the most likely value of a function g of theta is g of theta hat">
        <mover><mrow><mi>g</mi><Of><mi>θ</mi></Of></mrow><mo>^</mo></mover>
        <mo>=</mo><mi>g</mi><Of><Hat of="θ" /></Of>
      </Formula>
      <p>
        The Fisher information I is how strongly the cross-entropy of a model curves at the truth: the sharper that
        valley, the less a sample can move its lowest point. No estimator that is right on average has a smaller standard
        deviation than the bound. Maximum likelihood reaches it as n grows, and on these axes the bound is a straight
        line: four times the data, half the error.
      </p>
      <p>
        That holds where the model is right and smooth in its parameter, and n is large. For small n another estimator
        may be closer, if it is willing to be wrong on average: Laplace’s rule is one, and it never calls impossible what
        it has not seen, which cross-entropy would punish without limit. And what if no parameter fits the data? Next:
        two ways to come near.
      </p>
    </>
  );
}

function Hat({ of }) {
  return <mover><mi>{of}</mi><mo>^</mo></mover>;
}

export default { Picture, Text, Extra, turned };
