// The report of a comparison, of token logprobs or of the doctor: sections that each have words, dots and a table.
import { Dots } from "../charts/Dots.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { Table } from "../parts/Table.jsx";
import { Ending } from "./figures.jsx";
import { Contents, Frame, Head } from "./Report.jsx";

/** result: the JSON; page: what plogq.reports.findings.page.Page holds */
export function SectionsReport({ result, page }) {
  const { command, headline, sections, json } = page;
  return (
    <Frame command={command} first={sections[0].key}>
      <Head headline={headline} />
      <Contents sections={sections.map(({ key, tab }) => [key, tab])} />
      {sections.map((section) => (
        <Section key={section.key} {...section} id={section.key} />
      ))}
      <Ending result={result} command={command} json={json} />
    </Frame>
  );
}

function Section({ id, tab, words, dots, columns, rows }) {
  const table = (
    <Table name={id} caption={`${tab}: the numbers`} columns={columns.flatMap(flat)} rows={rows.map(ends)} />
  );
  return (
    <Figure id={id} words={words} wide long>
      {dots && (
        <Dots name={id} label={tab} description={words.title} axis={dots.axis} dots={dots.dots}
          lines={dots.zero ? [{ at: 0, name: dots.zero }] : []} />
      )}
      {dots ? <Numbers>{table}</Numbers> : table}
    </Figure>
  );
}

/** An interval is two columns of numbers. */
function flat(column) {
  if (column.kind !== "interval") return [column];
  return [
    { key: "low", name: `from (${column.name})`, kind: "number" },
    { key: "high", name: "to", kind: "number" },
  ];
}

function ends({ interval, ...row }) {
  const [low, high] = interval ?? [null, null];
  return { ...row, low, high };
}
