// Surprisal and entropy: columns of width p and height −log p, whose total area is the entropy.
import { Areas } from "../charts/Areas.jsx";
import { Formula, Log, Of, Sub, Sum } from "../parts/Formula.jsx";
import { Table } from "../parts/Table.jsx";

/** The reader's own bars are shown only while they are what is thrown. */
function turned(state) {
  return state.source === "own" ? ["source", "own", "names", "unit"] : ["source", "unit"];
}

function Picture({ result }) {
  const { outcomes, entropy, unit } = result;
  return (
    <Areas name="surprisal" label="Surprisal of each outcome, and its average"
      across="probability" up={`surprisal, ${unit}`}
      description={`${outcomes
        .map((o) => `${o.name}: probability ${o.prob.text}, surprisal ${o.surprisal.text} ${unit}`)
        .join("; ")}. Average ${entropy.text} ${unit}.`}
      level={{ value: entropy.value, text: `entropy ${entropy.text}` }}
      columns={outcomes.map((o) => ({
        name: o.name, width: o.prob.value, height: o.surprisal.value,
        text: o.short,
        tip: [o.name, `probability ${o.prob.text}`, `surprisal ${o.surprisal.text} ${unit}`,
          `adds ${o.term.text} to the entropy`],
      }))} />
  );
}

const COLUMNS = [
  ["name", "outcome", "name"], ["prob", "p", "number"], ["surprisal", "−log p", "number"],
  ["term", "−p log p", "number"],
].map(([key, name, kind]) => ({ key, name, kind }));

function Extra({ result }) {
  const rows = result.outcomes.map((o) =>
    Object.fromEntries(COLUMNS.map(({ key }) => [key, o[key].value ?? o[key]])),
  );
  return (
    <section class="page-extra">
      <h2>Outcome by outcome</h2>
      <Table name="surprisal" caption={`Surprisal by outcome, in ${result.unit}`} columns={COLUMNS} rows={rows} />
    </section>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="the surprisal h of p j is minus log p j">
        <mi>h</mi><Of><Sub of="p" at="j" /></Of><mo>=</mo><mo>−</mo><Log /><Sub of="p" at="j" />
      </Formula>
      <Formula label="the entropy H of p is minus the sum over j of p j log p j">
        <mi>H</mi><Of><mi>p</mi></Of><mo>=</mo>
        <mo>−</mo><Sum over="j" /><Sub of="p" at="j" /><Log /><Sub of="p" at="j" />
      </Formula>
      <p>
        Why a logarithm? The probabilities of two independent throws multiply, and their surprises should add. Only the
        logarithm turns products into sums. With base 2 the unit is the bit: one bit is the surprise of a fair coin, and
        each halving of the probability adds one more. With base e the unit is the nat, 1.4427 bits.
      </p>
      <p>
        In the picture the width of a column is the probability of its outcome, and the height is its surprisal. The
        widths sum to 1, so the total area is the average surprise. The rectangle below the line has the same area, and
        its height is the entropy. Next: a bit of surprise is also a bit to send.
      </p>
    </>
  );
}

export default { Picture, Text, Extra, turned };
