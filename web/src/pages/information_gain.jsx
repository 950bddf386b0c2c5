// Information gain: three impurities along the thresholds of a pixel, and the branches' classes.
import { Cells } from "../charts/Cells.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Stacks } from "../charts/Stacks.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Of, Sub, Sum } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Point } from "../parts/Marks.jsx";
import { count, percent } from "../parts/format.js";
import { useContext } from "preact/hooks";

const COLORS = { "information gain": "gain", Gini: "keep", misclassification: "waste" };
const CLASSES = ["gain", "waste", "keep", "rest"];

function Picture({ result, set }) {
  const small = useContext(Small);
  const { measures, threshold, nodes, classes, top } = result;
  const most = Math.max(0.01, ...measures.flatMap((m) => m.curve.map(([, share]) => share)));
  const [gain] = measures;
  return (
    <>
      <Lines name="thresholds" label="What each threshold of the pixel removes" height={320}
        description={measures.map((m) => `${m.name}: ${percent(m.here)} at ${threshold}, ${best(m)}`).join("; ")}
        series={measures.map((m) => ({ name: m.name, points: m.curve, color: COLORS[m.name] }))}
        x={{ label: "threshold t", domain: [0, gain.curve.at(-1)[0]] }}
        y={{ label: "share of the impurity removed", domain: [0, 1.08 * most] }}
        lines={[{ name: "threshold", x: threshold }]}
        over={(on) => measures.filter((m) => m.best !== null).map((m) => (
          <Point key={m.name} on={on} at={m.curve[m.best]} color={COLORS[m.name]} />
        ))} />
      {!small && (
        <>
          <Legend items={measures.map((m) => ({
            name: m.name, color: COLORS[m.name], value: percent(m.here), text: `here, ${best(m)}`,
          }))} />
          <p class="run-buttons no-print">
            <button class="button" type="button" disabled={gain.best === null}
              onClick={() => set({ threshold: gain.best })}>
              Take the best threshold
            </button>
            <button class="button" type="button" onClick={() => set(top)}>
              Ask the best pixel
            </button>
          </p>
          <Stacks name="branches" label="The classes of the node and its branches" unit="digits"
            description={nodes.map((node) => `${node.name}: ${node.counts
              .map((n, k) => `${classes[k]} ${count(n)}`).join(", ")}`).join("; ")}
            stacks={nodes.map(stack(classes))} />
          <Legend items={classes.map((name, k) => ({ name, color: CLASSES[k] }))} />
        </>
      )}
    </>
  );
}

function Extra({ result: { pixels, pixel, top, unit } }) {
  return (
    <section class="page-extra">
      <h2>Which pixel?</h2>
      <p>How much each of the 64 pixels gains at its best threshold. The one that is asked is framed.</p>
      <Cells name="pixels" label="What each pixel gains at its best threshold" cells={pixels} chosen={pixel}
        what={`of the ${unit}`}
        description={`The best question is about row ${top.row}, column ${top.column}, threshold ${top.threshold}.`} />
    </section>
  );
}

function best(measure) {
  if (measure.best === null) return "no threshold removes any";
  return `best ${percent(measure.most)} at ${measure.best}`;
}

const stack = (classes) => ({ name, counts }) => ({
  name,
  parts: classes
    .map((one, k) => ({ name: one, color: CLASSES[k], value: counts[k], text: count(counts[k]) }))
    .filter((part) => part.value > 0),
});

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="the gain is the entropy H of Y less the sum over branches b of n b over N times the entropy of Y in b">
        <mi>gain</mi><mo>=</mo>
        <mi>H</mi><Of><mi>Y</mi></Of><mo>−</mo>
        <Sum over="b" />
        <Share />
        <mi>H</mi><Of><mi>Y</mi><mo>|</mo><mi>b</mi></Of>
      </Formula>
      <Formula label="the gain is the sum over b of n b over N times the divergence of the classes in b from those of the node">
        <mi>gain</mi><mo>=</mo>
        <Sum over="b" />
        <Share />
        <mi>KL</mi><Of><Sub of="p" at="b" /><mo>‖</mo><mi>p</mi></Of>
      </Formula>
      <p>
        The gain is the mutual information of answer and class: how far the classes in the branches are from those of
        the node. Gini puts the squared distance in place of the divergence. Both come from a loss: entropy is the least
        cross-entropy that a node can have when it gives all its digits one prediction, and Gini is the least squared
        error. Misclassification is the least number of mistakes.
      </p>
      <p>
        The first two are strictly concave in the shares of the classes: whatever moves these apart is rewarded.
        Misclassification is linear where the most frequent class stays the same, and there it rewards nothing. So trees
        are grown by entropy or Gini, even where mistakes are what counts in the end. The digits are 8 × 8 pixels with
        ink from 0 to 16, those of the page on training.
      </p>
    </>
  );
}

/** The share of the node's rows that are in b. */
function Share() {
  return <mfrac><Sub of="n" at="b" /><mi>N</mi></mfrac>;
}

export default { Picture, Text, Extra };
