// Losses: cross-entropy as it was set, beside the plain one: the loss, then its gradient.
import { Lines } from "../charts/Lines.jsx";
import { Formula, Log, Of, Sub, Sum } from "../parts/Formula.jsx";
import { Point, Stroke, Words } from "../parts/Marks.jsx";
import { fitText } from "../parts/measure.js";

const TOP = 7; // of the loss, unless the point lies higher
const KEY = [-1.2, -0.4]; // where the key stands, in logits

function Picture({ result }) {
  const { domain, changed, loss, gradient, least, readouts, true: name } = result;
  const x = { label: `logit of ${fitText(name, 100)}, the true class`, domain };
  const top = Math.max(TOP, 1.06 * loss.point[1]);
  const turns = [...gradient.curve, ...gradient.plain].map((p) => p[1]);
  const slopes = [Math.min(-1.1, 1.06 * Math.min(...turns)), Math.max(0.4, 1.06 * Math.max(...turns))];
  const series = (of) => [
    { name: "plain", points: of.plain, color: "rest" },
    ...(changed ? [{ name: "as set", points: of.curve, color: "waste" }] : []),
  ];
  const points = (on, of) => (
    <>
      <Point on={on} at={of.plainPoint} color="rest" />
      {changed && <Point on={on} at={of.point} color="waste" />}
    </>
  );
  return (
    <>
      <Lines name="losses" label="The loss over the logit" height={370}
        description={`At the logit ${loss.point[0]} the loss as it is set is ${readouts[0].text}, and plain cross-entropy ${readouts[2].text}.${least ? ` The least is ${readouts[4].text}, at the logit ${readouts[5].text}.` : ""}`}
        series={series(loss)} x={x} y={{ label: "loss, nats", domain: [0, top] }}
        over={(on) => (
          <>
            {changed && <Key on={on} y={0.94 * top} color="waste">as set</Key>}
            <Key on={on} y={0.86 * top} color="rest">plain cross-entropy</Key>
            {least && (
              <>
                <Stroke on={on} ends={domain.map((z) => [z, least[1]])} color="keep" dashed />
                <Point on={on} at={least} color="keep" />
                <Words on={on} at={least} middle dy={-14}>{`least ${readouts[4].text}`}</Words>
              </>
            )}
            {points(on, loss)}
          </>
        )} />
      <Lines name="gradients" label="The gradient over the logit" height={290}
        description={`At the logit ${gradient.point[0]} the gradient as it is set is ${readouts[1].text}, and that of plain cross-entropy ${readouts[3].text}.`}
        series={series(gradient)} x={x} y={{ label: "gradient in the logit", domain: slopes }}
        over={(on) => (
          <>
            <Stroke on={on} ends={domain.map((z) => [z, 0])} color="rest" dashed />
            {least && <Point on={on} at={[least[0], 0]} color="keep" />}
            {points(on, gradient)}
          </>
        )} />
    </>
  );
}

function Key({ on, y, color, children }) {
  return (
    <>
      <Stroke on={on} ends={KEY.map((z) => [z, y])} color={color} />
      <Words on={on} at={[KEY[1], y]}>{children}</Words>
    </>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="L is minus the sum over j of w j t j times one minus q j to the gamma times log q j, plus zeta times the square of the log of the sum over j of e to the x j over T">
        <mi>L</mi>
        <mo>=</mo>
        <mo>−</mo><Sum over="j" />
        <Sub of="w" at="j" /><Sub of="t" at="j" />
        <msup><mrow><Of><mn>1</mn><mo>−</mo><Sub of="q" at="j" /></Of></mrow><mi>γ</mi></msup>
        <Log /><Sub of="q" at="j" />
        <mo>+</mo>
        <mi>ζ</mi>
        <msup>
          <mrow>
            <Of>
              <Log /><Sum over="j" />
              <msup><mi>e</mi><mrow><Sub of="x" at="j" /><mo stretchy="false">/</mo><mi>T</mi></mrow></msup>
            </Of>
          </mrow>
          <mn>2</mn>
        </msup>
      </Formula>
      <Formula label="q is softmax of x over T; t j is one minus epsilon where j is y, plus epsilon over C">
        <mi>q</mi>
        <mo>=</mo>
        <mi>softmax</mi><Of><mi>x</mi><mo stretchy="false">/</mo><mi>T</mi></Of>
        <mo>,</mo><mspace width="1em" />
        <Sub of="t" at="j" />
        <mo>=</mo>
        <Of><mn>1</mn><mo>−</mo><mi>ε</mi></Of>
        <mo stretchy="false">[</mo><mi>j</mi><mo>=</mo><mi>y</mi><mo stretchy="false">]</mo>
        <mo>+</mo>
        <mi>ε</mi><mo stretchy="false">/</mo><mi>C</mi>
      </Formula>
      <p>
        Label smoothing gives a little to every class, so that a prediction can be too sure. The focal factor reduces
        the loss of rows that are predicted well, and hardly changes that of hard rows. A class weight makes the rows of
        one class count more, for example if they are rare. A temperature rescales the logits, and the z-loss keeps them
        from drifting. If the outcome is uncertain, the first three also change which probabilities are best: the
        probabilities of a model that is trained with them no longer say how often things happen. The page on likelihood
        shows why those of the plain loss do.
      </p>
    </>
  );
}

export default { Picture, Text };
