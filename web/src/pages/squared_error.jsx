// Squared error against cross-entropy: the losses over the probability, their pull over the logit.
import { Lines } from "../charts/Lines.jsx";
import { Formula, Of } from "../parts/Formula.jsx";
import { Point, Stroke, Words } from "../parts/Marks.jsx";

const COLORS = { "squared error": "waste", "cross-entropy": "gain" };

function Picture({ result }) {
  const { losses, logit, prob, readouts } = result;
  const one = result.target === "1";
  const series = (key) =>
    losses.map((loss) => ({ name: loss.name, points: loss[key], color: COLORS[loss.name] }));
  // With a target of 0 both pictures are mirrored.
  const p = (x) => (one ? x : 1 - x);
  const z = (x) => (one ? x : -x);
  return (
    <>
      <Lines name="losses" label="Both losses over the prediction" height={370}
        description={`At p = ${prob} the squared error is ${readouts[0].text} with slope ${readouts[1].text}, and the cross-entropy ${readouts[3].text} with slope ${readouts[4].text}.`}
        series={series("curve")} x={{ label: "prediction p", domain: [0, 1] }}
        y={{ label: "loss", domain: [0, 5], ticks: [0, 1, 2, 3, 4, 5] }}
        over={(on) => (
          <>
            <Words on={on} at={[p(0.04), 3.4]} left={!one}>cross-entropy</Words>
            <Words on={on} at={[p(0), 0.32]} left={!one} dx={6}>squared error</Words>
            {losses.map((loss) => (
              <g key={loss.name}>
                <Stroke on={on} ends={loss.tangent} color="ink" />
                <Point on={on} at={loss.point} color={COLORS[loss.name]} />
              </g>
            ))}
          </>
        )} />
      <Lines name="pulls" label="Both gradients over the logit" height={300}
        description={`The size of both gradients in the logit. At the logit ${logit.toFixed(2)} it is ${Math.abs(readouts[2].value).toFixed(4)} for squared error and ${Math.abs(readouts[5].value).toFixed(4)} for cross-entropy. Where the prediction is sure and wrong, the first is near 0 and the second near 1.`}
        series={series("pulls")} x={{ label: "logit z", domain: [-5, 5] }}
        y={{ label: "size of the gradient in z", domain: [0, 1], ticks: [0, 0.5, 1] }}
        bands={[{ from: Math.min(z(-5), z(-3)), to: Math.max(z(-5), z(-3)), name: "sure and wrong" }]}
        over={(on) => (
          <>
            <Words on={on} at={[z(-5), 0.58]} left={!one} dx={6}>sure and wrong</Words>
            {losses.map((loss) => (
              <Point key={loss.name} on={on} at={loss.pull} color={COLORS[loss.name]} />
            ))}
          </>
        )} />
    </>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="the derivative of p by z is p times one minus p">
        <Partial of="p" />
        <mo>=</mo>
        <mi>p</mi><Of><mn>1</mn><mo>−</mo><mi>p</mi></Of>
      </Formula>
      <Formula label="the derivative of the squared error p minus t squared by z is two times p minus t times p times one minus p">
        <Partial of={<><msup><mrow><Of><mi>p</mi><mo>−</mo><mi>t</mi></Of></mrow><mn>2</mn></msup></>} />
        <mo>=</mo>
        <mn>2</mn><Of><mi>p</mi><mo>−</mo><mi>t</mi></Of>
        <mi>p</mi><Of><mn>1</mn><mo>−</mo><mi>p</mi></Of>
      </Formula>
      <Formula label="the derivative of the cross-entropy by z is p minus t over p times one minus p, times p times one minus p, which is p minus t">
        <Partial of={<mi>CE</mi>} />
        <mo>=</mo>
        <mfrac>
          <mrow><mi>p</mi><mo>−</mo><mi>t</mi></mrow>
          <mrow><mi>p</mi><Of><mn>1</mn><mo>−</mo><mi>p</mi></Of></mrow>
        </mfrac>
        <mo>·</mo>
        <mi>p</mi><Of><mn>1</mn><mo>−</mo><mi>p</mi></Of>
        <mo>=</mo>
        <mi>p</mi><mo>−</mo><mi>t</mi>
      </Formula>
      <p>
        A sigmoid is flat at both ends, and its slope p (1 − p) is a factor of every gradient that goes through it. The
        logarithm in cross-entropy cancels this factor; the square does not. So the gradient of squared error is
        largest, 8/27 = 0.2963, where the prediction misses by two thirds. From there it fades as the prediction becomes
        more wrong. The next page shows where that can lead a descent.
      </p>
    </>
  );
}

/** ∂ of something by z. */
function Partial({ of }) {
  return (
    <mfrac>
      <mrow><mo>∂</mo>{typeof of === "string" ? <mi>{of}</mi> : of}</mrow>
      <mrow><mo>∂</mo><mi>z</mi></mrow>
    </mfrac>
  );
}

export default { Picture, Text };
