// Entropy plus divergence: a bar of two parts, a bar of their sum, and the terms by outcome.
import { Stacks } from "../charts/Stacks.jsx";
import { Formula, Log, Named, Of, Sub, Sum } from "../parts/Formula.jsx";
import { Table } from "../parts/Table.jsx";
import { toNumber } from "../parts/format.js";

function Picture({ result }) {
  const { entropy, kl, cross_entropy: cross, unit } = result;
  const stack = (name, parts) => ({ name, parts: parts.filter((part) => part.value > 0) });
  const part = (name, figure, color) => ({
    name, color, value: toNumber(figure.value), text: figure.text,
  });
  return (
    <Stacks name="decomposition" label="Cross-entropy as entropy plus divergence" unit={unit}
      description={`H of p ${entropy.text} plus KL ${kl.text} is H of p and q ${cross.text} ${unit}.`}
      stacks={[
        stack("entropy + divergence", [
          part("H(p)", entropy, "keep"), part("KL(p ‖ q)", kl, "waste"),
        ]),
        stack("cross-entropy", [part("H(p, q)", cross, "gain")]),
      ]} />
  );
}

const COLUMNS = [
  ["name", "outcome", "name"], ["p", "p", "number"], ["q", "q", "number"],
  ["surprisal", "−log q", "number"], ["entropy", "−p log p", "number"], ["kl", "p log p/q", "number"],
  ["cross_entropy", "−p log q", "number"],
].map(([key, name, kind]) => ({ key, name, kind }));

function Extra({ result }) {
  const rows = result.rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, item]) => [key, item.value ?? item])),
  );
  return (
    <section class="page-extra">
      <h2>Outcome by outcome</h2>
      <Table name="decomposition" caption={`Terms by outcome, in ${result.unit}`} columns={COLUMNS} rows={rows} />
    </section>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="H of p and q is minus the sum of p log q, which is H of p plus the divergence of p from q">
        <mi>H</mi><Of><mi>p</mi><mo>,</mo><mi>q</mi></Of>
        <mo>=</mo>
        <Named name={<><mi>H</mi><Of><mi>p</mi></Of></>}>
          <mo>−</mo><Sum over="j" /><Sub of="p" at="j" /><Log /><Sub of="p" at="j" />
        </Named>
        <mo>+</mo>
        <Named name={<><mi>KL</mi><Of><mi>p</mi><mo>‖</mo><mi>q</mi></Of></>}>
          <Sum over="j" /><Sub of="p" at="j" /><Log />
          <mfrac><Sub of="p" at="j" /><Sub of="q" at="j" /></mfrac>
        </Named>
      </Formula>
      <p>
        The first part belongs to the world: it says how uncertain the outcomes are, whoever predicts them. The second
        part belongs to the model: it is the price of expecting q while p happens. It is called the Kullback–Leibler
        divergence, KL, and it is 0 only if q is p.
      </p>
    </>
  );
}

export default { Picture, Text, Extra };
