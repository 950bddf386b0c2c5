// Softmax and temperature: columns of probability, with the pull of the gradient on each.
import { Columns } from "../charts/Columns.jsx";
import { Formula, Log, Of, Sub, Sum } from "../parts/Formula.jsx";

function Picture({ result }) {
  const columns = result.classes.map((c) => ({
    name: c.name,
    value: c.prob.value,
    text: c.prob.text,
    color: c.target ? "gain" : "rest",
    mark: c.target ? 1 : 0,
    pull: -c.grad.value,
    pullText: c.grad.text,
    tip: [`${c.name}${c.target ? ", the true one" : ""}`, `logit ${c.logit.text}`,
      `probability ${c.prob.text}`, `gradient ${c.grad.text}`],
  }));
  return (
    <Columns name="softmax" label="Probabilities and gradient" columns={columns} axis="class"
      up="probability" marked="truth"
      description={result.classes
        .map((c) => `${c.name}: probability ${c.prob.text}, gradient ${c.grad.text}`)
        .join("; ")} />
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="q j is e to the x j over T, divided by the sum over k of e to the x k over T">
        <Sub of="q" at="j" />
        <mo>=</mo>
        <mfrac>
          <Power at="j" />
          <mrow><Sum over="k" /><Power at="k" /></mrow>
        </mfrac>
      </Formula>
      <Formula label="the derivative of minus log q y by x j is q j minus 1 where j is y, over T">
        <mfrac>
          <mrow><mo>∂</mo><Of><mo>−</mo><Log /><Sub of="q" at="y" /></Of></mrow>
          <mrow><mo>∂</mo><Sub of="x" at="j" /></mrow>
        </mfrac>
        <mo>=</mo>
        <mfrac>
          <mrow>
            <Sub of="q" at="j" /><mo>−</mo>
            <mo stretchy="false">[</mo><mi>j</mi><mo>=</mo><mi>y</mi><mo stretchy="false">]</mo>
          </mrow>
          <mi>T</mi>
        </mfrac>
      </Formula>
      <p>
        A network gives one number per class, a logit, of any size and sign. Softmax raises e to each and divides by
        the sum. Adding the same number to every logit changes nothing: only differences count. The gradient says how
        fast the loss grows as each logit grows. The arrows show where a step of training moves the logits: against the
        gradient.
      </p>
    </>
  );
}

function Power({ at }) {
  return (
    <msup>
      <mi>e</mi>
      <mrow><Sub of="x" at={at} /><mo stretchy="false">/</mo><mi>T</mi></mrow>
    </msup>
  );
}

export default { Picture, Text };
