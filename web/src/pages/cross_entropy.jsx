// Cross-entropy: the point of the true class on the curve of −log q.
import { Lines } from "../charts/Lines.jsx";
import { Bars } from "../charts/Bars.jsx";
import { Formula, Log, Of, Sub, Sum } from "../parts/Formula.jsx";
import { fitText } from "../parts/measure.js";

function Picture({ result }) {
  const { classes, unit } = result;
  const highest = result.curve[0][1];
  const points = classes
    .filter((c) => c.prob.value > 0)
    .map((c) => ({
      x: c.prob.value,
      y: Math.min(c.surprisal.value, highest),
      name: c.target ? `${fitText(c.name, 100, 600)}: ${c.surprisal.text}` : "",
      color: c.target ? "waste" : "rest",
    }));
  return (
    <Lines name="cross-entropy" label="Loss by the probability of the true class" height={360}
      description={`The curve of minus log q. ${classes
        .map((c) => `${c.name}: probability ${c.prob.text}, surprisal ${c.surprisal.text} ${unit}`)
        .join("; ")}.`}
      series={[{ name: "−log q", points: result.curve, color: "gain" }]}
      x={{ label: "probability q of the true class", domain: [0, 1] }}
      y={{ label: `loss, ${unit}`, domain: [0, highest] }} points={points} />
  );
}

function Text({ result }) {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="H of p and q is minus the sum over j of p j log q j; minus log q y for a single true class y">
        <mi>H</mi><Of><mi>p</mi><mo>,</mo><mi>q</mi></Of>
        <mo>=</mo><mo>−</mo>
        <Sum over="j" /><Sub of="p" at="j" /><Log /><Sub of="q" at="j" />
        <mover><mo>=</mo><mtext>one class y</mtext></mover>
        <mo>−</mo><Log /><Sub of="q" at="y" />
      </Formula>
      <p>
        The truth p says how often each outcome comes, and the prediction q says how often it is expected. An outcome
        costs its surprise under the prediction, −log q, as often as it comes. With one true class, only the surprise of
        that class is left.
      </p>
      <Bars name="shares" label="What each class would cost" description="Surprisal of each class"
        bars={result.classes.map((c) => ({
          name: c.name, value: c.surprisal.value, color: c.target ? "waste" : "rest",
          note: c.target ? "← true" : undefined,
          text: [c.name, `probability ${c.prob.text}`, `would cost ${c.surprisal.text} ${result.unit}`],
        }))} />
    </>
  );
}

export default { Picture, Text };
