// Binary cross-entropy: the loss over the logit with its tangent, and the gap from probability to label.
import { Lines } from "../charts/Lines.jsx";
import { Formula, Log, Of } from "../parts/Formula.jsx";
import { Arrow, Point, Stroke, Words, fitsLeft } from "../parts/Marks.jsx";

const BAND = -0.4; // below the curves, where the arrow has its place
const TOP = 5.2;

function Picture({ result }) {
  const { label, domain, curves, sigmoid, point, tangent, step, gap, gradient } = result;
  const x = { label: "logit z", domain };
  const other = label === "1" ? "0" : "1";
  const pull = `gradient ${gradient.text}, so ${step[1] > step[0] ? "up" : "down"}`;
  const missed = `p − t = ${gradient.text}`;
  return (
    <>
      <Lines name="binary" label="Loss over the logit" height={370}
        description={`The loss of label ${label} over the logit. At ${point[0]} it is ${result.readouts[1].text} nats with slope ${gradient.text}, and training moves the logit ${step[1] > step[0] ? "up" : "down"}.`}
        series={[
          { name: `label ${other}`, points: curves[other], color: "rest" },
          { name: `label ${label}`, points: curves[label], color: "waste" },
        ]}
        x={x} y={{ label: "loss, nats", domain: [-1, TOP], ticks: [0, 1, 2, 3, 4, 5] }}
        over={(on) => (
          <>
            <Words on={on} at={nearest(curves[1], 4.2)}>label 1</Words>
            <Words on={on} at={nearest(curves[0], 4.2)} left>label 0</Words>
            <Stroke on={on} ends={tangent} color="keep" />
            <Point on={on} at={point} color="waste" />
            <Arrow on={on} ends={step.map((z) => [z, BAND])} color="keep" />
            <Words on={on} at={[(step[0] + step[1]) / 2, BAND]} middle dy={18}>{pull}</Words>
          </>
        )} />
      <Lines name="sigmoid" label="Probability over the logit" height={250}
        description={`The sigmoid over the logit. The probability is ${result.readouts[0].text}, the label ${label}; the gap between them is the gradient.`}
        series={[{ name: "probability", points: sigmoid, color: "gain" }]}
        x={x} y={{ label: "probability p of label 1", domain: [0, 1], ticks: [0, 0.5, 1] }}
        over={(on) => (
          <>
            <Stroke on={on} ends={[[domain[0], gap[1][1]], [domain[1], gap[1][1]]]} color="waste" dashed />
            <Stroke on={on} ends={gap} color="keep" />
            <Point on={on} at={gap[0]} color="gain" />
            <Words on={on} at={[gap[0][0], (gap[0][1] + gap[1][1]) / 2]} left={fitsLeft(on, gap[0][0], missed)}>
              {missed}
            </Words>
          </>
        )} />
    </>
  );
}

/** The point of a curve whose loss is nearest to y. */
function nearest(points, y) {
  return points.reduce((best, p) => (Math.abs(p[1] - y) < Math.abs(best[1] - y) ? p : best));
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="p is one over one plus e to the minus z">
        <mi>p</mi>
        <mo>=</mo>
        <mi>σ</mi><Of><mi>z</mi></Of>
        <mo>=</mo>
        <mfrac>
          <mn>1</mn>
          <mrow><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>z</mi></mrow></msup></mrow>
        </mfrac>
      </Formula>
      <Formula label="the loss is minus t log p minus one minus t times log of one minus p">
        <mi>L</mi>
        <mo>=</mo>
        <mo>−</mo><mi>t</mi><Log /><mi>p</mi>
        <mo>−</mo><Of><mn>1</mn><mo>−</mo><mi>t</mi></Of><Log /><Of><mn>1</mn><mo>−</mo><mi>p</mi></Of>
      </Formula>
      <Formula label="the derivative of the loss by z is p minus t">
        <mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>z</mi></mrow></mfrac>
        <mo>=</mo>
        <mi>p</mi><mo>−</mo><mi>t</mi>
      </Formula>
      <p>
        With two classes one logit is enough: p is the probability of label 1, and 1 − p that of label 0. The two are
        the softmax of the logits z and 0. Of the two terms of the loss, only that of the true label is left. The slope
        of the loss in the upper picture and the gap between probability and label in the lower one are the same number.
        The arrow is a step of training with the learning rate 4.
      </p>
    </>
  );
}

export default { Picture, Text };
