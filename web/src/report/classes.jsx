// Which classes cost, and what they are taken for.
import { Bars } from "../charts/Bars.jsx";
import { Confusion } from "../charts/Confusion.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { count, number, percent, toNumber } from "../parts/format.js";
import { Legend } from "../parts/Legend.jsx";
import { Table } from "../parts/Table.jsx";

const MOST_BARS = 15;
const MOST_CELLS = 32; // classes along a side of the field of cells
const CHOSEN = 24; // of more classes, those in the costliest cells are shown

export function ClassBits({ id, result, words, units }) {
  const rank = (item) => (item.cross_entropy === "inf" ? Infinity : (item.share ?? 0));
  const worst = [...result.per_class].sort((a, b) => (rank(a) < rank(b)) - (rank(a) > rank(b)));
  const rows = worst.map((item) => ({
    ...item,
    mistaken: item.mistaken_for.map(([name, n]) => `${name} ×${count(n)}`).join(", "),
  }));
  return (
    <Figure id={id} words={words}>
      <Bars name="classes" label={`Share of the loss by class`} description={words.title}
        show={percent}
        bars={worst.slice(0, MOST_BARS).map((item) => ({
          name: item.name,
          value: item.share,
          color: item.cross_entropy === "inf" ? "waste" : "keep",
          note: item.cross_entropy === "inf" ? "and ∞" : "",
          text: [
            item.name,
            `${percent(item.share)} of the loss, ${count(item.rows)} rows`,
            `${number(item.cross_entropy)} ${units} per row of the class`,
          ],
        }))} />
      <Table name="classes" caption="Classes, by their share of the loss"
        columns={[
          { key: "name", name: "class", kind: "name" },
          { key: "rows", name: "rows", kind: "count" },
          { key: "cross_entropy", name: `${units} per row`, kind: "number" },
          { key: "share", name: "share", kind: "percent" },
          { key: "accuracy", name: "accuracy", kind: "percent" },
          { key: "mistaken", name: "mistaken for", kind: "name" },
        ]}
        rows={rows} />
    </Figure>
  );
}

export function ConfusionBits({ id, result, words, units }) {
  const cells = result.confusion;
  const classes = chosen(result.classes, cells);
  const drawn = new Set(classes);
  const cost = `${units} per row`;
  return (
    <Figure id={id} words={words}>
      <Confusion name="confusion" label="What each label costs, by what was predicted"
        description={words.title}
        cells={cells.filter((cell) => drawn.has(cell.label) && drawn.has(cell.predicted))}
        classes={classes} units={units} />
      {classes.length < result.classes.length && (
        <p class="note">
          Of {count(result.classes.length)} classes, the {count(classes.length)} whose confusions
          cost most.
        </p>
      )}
      <Legend items={[
        { color: "waste", name: "wrong", text: "the cost of labels taken for something else" },
        { color: "keep", name: "right, but not sure", text: "the cost on the diagonal" },
      ]} />
      <Numbers>
        <Table name="confusion" caption="Cells of the confusion, the dearest first"
          columns={[
            { key: "label", name: "label", kind: "name" },
            { key: "predicted", name: "predicted", kind: "name" },
            { key: "rows", name: "rows", kind: "count" },
            { key: "cost", name: cost, kind: "number" },
          ]}
          rows={cells} />
      </Numbers>
    </Figure>
  );
}

/** All classes if they are few enough to be told apart; else those in the costliest cells off the diagonal. */
function chosen(classes, cells) {
  if (classes.length <= MOST_CELLS) return classes;
  const off = cells.filter((cell) => cell.label !== cell.predicted && toNumber(cell.cost) > 0);
  const names = new Set();
  for (const cell of off) {
    if (names.size >= CHOSEN) break;
    names.add(cell.label).add(cell.predicted);
  }
  return classes.filter((name) => names.has(name));
}
