// Convexity: both losses over the weight, a ball on each, and both over weight and bias.
import { useContext, useEffect, useState } from "preact/hooks";
import { Field } from "../charts/Field.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Small } from "../parts/Chart.jsx";
import { Controls } from "../parts/Controls.jsx";
import { Formula, Of, Sub } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Point, Stroke, Words } from "../parts/Marks.jsx";
import { PageWords } from "../parts/PageWords.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { Awaited } from "../parts/Sketch.jsx";
import { number, shorten } from "../parts/format.js";

const LOOKS = {
  "squared error": { color: "waste", unit: "", valleys: ["bad valley", "good valley"], middle: true, dy: 24 },
  "cross-entropy": { color: "gain", unit: ", nats", valleys: ["only valley"], middle: false, dy: -14 },
};
const PACE = 40; // ms from one step to the next

function Picture({ result }) {
  const small = useContext(Small);
  return (
    <>
      {result.losses.map((loss) => <Curve key={loss.name} {...loss} domain={result.domain} />)}
      {!small && result.losses.map((loss) => <Surface key={loss.name} {...loss} grid={result.grid} />)}
    </>
  );
}

function Curve({ name, curve, way, valleys, domain }) {
  const looks = LOOKS[name];
  const [weight, height] = way.at(-1);
  return (
    <Lines name={name.replace(" ", "-")} label={`${name} over the weight`} height={290}
      description={`The ball is at the weight ${number(weight)}, where the ${name} is ${number(height)}. ${valleys
        .map(([at, low], i) => `${looks.valleys[i]} at ${number(at)}: ${number(low)}`)
        .join("; ")}.`}
      series={[
        { name, points: curve, color: looks.color },
        { name: "way of the ball", points: way, color: "ink" },
      ]}
      x={{ label: "weight w", domain }}
      y={{ label: name + looks.unit, domain: [0, 1.1 * Math.max(...curve.map(([, y]) => y))] }}
      over={(on) => (
        <>
          {valleys.map((at, i) => (
            <Words key={i} on={on} at={at} middle={looks.middle} dy={looks.dy}>{looks.valleys[i]}</Words>
          ))}
          <Point on={on} at={[weight, height]} color="ink" />
        </>
      )} />
  );
}

function Surface({ name, surface: { values, least }, valleys, way, grid }) {
  const { color, unit, valleys: [first] } = LOOKS[name];
  const [weight] = way.at(-1);
  const all = values.flat();
  const [w, b] = least.map(shorten);
  return (
    <div>
      <Field name={`${name.replace(" ", "-")}-surface`} label={`${name} over weight and bias`} values={values}
        what={name} color={color}
        description={`From ${number(Math.min(...all))}, at w = ${w} and b = ${b}, to ${number(Math.max(...all))}. The ball rolls where the bias is 0, and is at the weight ${number(weight)}.`}
        x={{ label: "weight w", values: grid.weights }} y={{ label: "bias b", values: grid.biases }}
        over={(on) => (
          <>
            <Stroke on={on} ends={on.across.domain().map((end) => [end, 0])} color="ink" dashed />
            {valleys.length > 1 && <Words on={on} at={[valleys[0][0], 0]} middle dy={24}>{first}</Words>}
            <Point on={on} at={least} color="keep" />
            <Point on={on} at={[weight, 0]} color="ink" />
          </>
        )} />
      <Legend items={[
        {
          name: `${name}${unit}`, color,
          text: "the stronger, the higher. From one strength to the next, the square root of the height above the lowest place grows by the same step",
        },
        { name: "the lowest place", color: "keep", text: `at w = ${w}, b = ${b}` },
        { name: "the ball", color: "ink", text: "keeps to the bias 0, the dashed line" },
      ]} />
    </div>
  );
}

function Whole({ state, result, error, set, controls }) {
  const roll = useRoll({ state, result, error, set });
  if (!result) return <Awaited error={error} />;
  return (
    <div class="page-stage">
      <div class="page-picture">
        <Picture result={result} />
      </div>
      <div class="page-side">
        <div class="run-buttons no-print">
          <button class="button button-main" type="button" disabled={state.steps >= result.last}
            onClick={roll.turn}>
            {roll.rolling ? "Pause" : "Roll"}
          </button>
          <button class="button" type="button" disabled={state.steps === 0} onClick={() => set({ steps: 0 })}>
            Back to the start
          </button>
        </div>
        <Readouts readouts={result.readouts} />
        <Controls controls={controls} state={state} set={set} result={result} />
      </div>
      <PageWords notice={result.notice} code={result.code} quiet={roll.rolling}>
        <section>
          <Text />
        </section>
      </PageWords>
    </div>
  );
}

/** Each step once the one before is shown; all at once for a reader who wants no motion. */
function useRoll({ state, result, error, set }) {
  const [rolling, setRolling] = useState(false);
  const { steps } = state;
  const shown = result?.state.steps === steps;
  useEffect(() => {
    if (!rolling) return undefined;
    if (error || steps >= result.last) {
      setRolling(false);
      return undefined;
    }
    if (!shown) return undefined;
    const timer = setTimeout(() => set({ steps: steps + 1 }), PACE);
    return () => clearTimeout(timer);
  }, [rolling, shown, steps, error]);
  return {
    rolling,
    turn: () => {
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) set({ steps: result.last });
      else setRolling(!rolling);
    },
  };
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="the second derivative of the cross-entropy by w is one over N times the sum over i of x i squared times p i times one minus p i, which is at least 0">
        <Second of="CE" /><mo>=</mo>
        <Mean /><Spread /><mo>≥</mo><mn>0</mn>
      </Formula>
      <Formula label="that of the squared error is one over N times the sum over i of two x i squared times p i times one minus p i, times p i times one minus p i plus p i minus t i times one minus two p i">
        <Second of="SE" /><mo>=</mo>
        <Mean /><mn>2</mn><Spread />
        <Of>
          <Sub of="p" at="i" /><Of><mn>1</mn><mo>−</mo><Sub of="p" at="i" /></Of>
          <mo>+</mo>
          <Of><Sub of="p" at="i" /><mo>−</mo><Sub of="t" at="i" /></Of>
          <Of><mn>1</mn><mo>−</mo><mn>2</mn><Sub of="p" at="i" /></Of>
        </Of>
      </Formula>
      <p>
        The model is p = σ(w x), the bias is 0, and the six rows stand in the Python below. No part of the first sum can
        be below 0, so the slope of cross-entropy only grows from left to right: it passes 0 at one place, and downhill
        leads there from everywhere. In the second sum the outer bracket falls below 0 where a row is sure and wrong, and
        there can be hills. Two of the six rows are large and ask for a weight above 0; left of the hill both are sure
        and wrong, squared error hardly feels them, and the ball follows three small rows into the bad valley.
      </p>
      <p>
        Convex does not mean fast, nor safe at any rate: with a high η the ball on cross-entropy leaps over the valley and
        comes back slowly, or hops to and fro. Nor does it hold for a deep network, whose layers bend either loss. What
        stays there is the gradient of the last logit, which does not fade; what the layers below make of it is the next
        page.
      </p>
    </>
  );
}

/** The second derivative of something by w. */
function Second({ of }) {
  return (
    <mfrac>
      <mrow><msup><mo>∂</mo><mn>2</mn></msup><mi>{of}</mi></mrow>
      <mrow><mo>∂</mo><msup><mi>w</mi><mn>2</mn></msup></mrow>
    </mfrac>
  );
}

function Mean() {
  return (
    <>
      <mfrac><mn>1</mn><mi>N</mi></mfrac>
      <munder><mo>∑</mo><mi>i</mi></munder>
    </>
  );
}

/** x² p (1 − p) of a row. */
function Spread() {
  return (
    <>
      <msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>
      <Sub of="p" at="i" /><Of><mn>1</mn><mo>−</mo><Sub of="p" at="i" /></Of>
    </>
  );
}

export default { Picture, Whole };
