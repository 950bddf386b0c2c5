// What the loss is made of.
import { LossStack } from "../charts/LossStack.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { number, toNumber } from "../parts/format.js";
import { Legend } from "../parts/Legend.jsx";
import { Table } from "../parts/Table.jsx";

const COLUMNS = (units) => [
  { key: "name", name: "part", kind: "name" },
  { key: "value", name: `${units} per row`, kind: "number" },
  { key: "text", name: "meaning", kind: "words" },
];

/** words.parts: [{name, value, color, text, drawn}] as plogq.reports.findings gives them */
export function Loss({ id, result, words, units }) {
  const sentence = words.parts.map((p) => `${p.name} ${number(p.value)}`).join(", ");
  return (
    <Figure id={id} words={words} wide>
      <LossStack
        name="loss"
        label="What the loss is made of"
        description={`A stack of bars, in ${units} per row: ${sentence}.`}
        whole={toNumber(result.label_entropy)}
        loss={toNumber(result.cross_entropy)}
        finite={toNumber(result.cross_entropy_finite) || 0}
        gain={toNumber(result.information_gain)}
        parts={words.parts.filter((part) => part.drawn)}
        units={units}
      />
      <Legend items={words.parts.map((part) => ({ ...part, value: number(part.value) }))} />
      <Numbers>
        <Table name="loss" caption="What the loss is made of" columns={COLUMNS(units)}
          rows={words.parts} />
      </Numbers>
    </Figure>
  );
}
