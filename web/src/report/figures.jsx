// The figures in words and numbers, and the way out of the page.
import { Bars } from "../charts/Bars.jsx";
import { download } from "../parts/download.js";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { Table } from "../parts/Table.jsx";

const columns = (level) => [
  { key: "name", name: "figure", kind: "name" },
  { key: "value", name: "value", kind: "number" },
  { key: "low", name: `from (${level})`, kind: "number" },
  { key: "high", name: "to", kind: "number" },
  { key: "unit", name: "unit", kind: "name" },
  { key: "meaning", name: "meaning", kind: "words" },
];

export function OtherMeasures(given) {
  return <AllFigures {...given} caption="Each measure" />;
}

export function AllFigures({ id, words, caption = "Each figure" }) {
  const rows = words.figures.map(({ interval, ...figure }) => {
    const [low, high] = interval ?? [null, null];
    return { ...figure, low, high };
  });
  return (
    <Figure id={id} words={words} wide long>
      <Table name={id} caption={caption}
        columns={columns(words.level)} rows={rows} />
    </Figure>
  );
}

export function Code({ id, words }) {
  return (
    <Figure id={id} words={words}>
      <Bars name="code" label="Compressed labels" description={words.title} bars={words.parts} />
      <Numbers>
        <Table name="code" caption="Compressed labels"
          columns={[
            { key: "name", name: "part", kind: "name" },
            { key: "value", name: "bits per row", kind: "number" },
          ]}
          rows={words.parts} />
      </Numbers>
    </Figure>
  );
}

export function Ending({ result, command, json }) {
  const save = () =>
    download(`${command}.json`, `${JSON.stringify(result, null, 1)}\n`, "application/json");
  return (
    <div class="report-end">
      <div class="exports no-print">
        <button class="button" type="button" onClick={save}>
          Save all numbers as JSON
        </button>
      </div>
      <p>
        Every table has its CSV, every picture its SVG and PNG. The numbers are those of{" "}
        <code>{json ?? `plogq ${command} --json`}</code>.
      </p>
    </div>
  );
}
