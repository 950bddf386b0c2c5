// A table that sorts by its headers, is searched, shows its beginning first and saves as CSV.
import { useId, useMemo, useState } from "preact/hooks";
import { download, toCsv } from "./download.js";
import { count, number, percent, toNumber } from "./format.js";

const FIRST = 20;
const SHOW = { number, percent, count, name: String, words: String };

/**
 * name     of the CSV file
 * caption  what the table is
 * columns  [{key, name, kind}], kind "name" | "words" | "number" | "percent" | "count"
 * rows     objects by the columns' keys; infinities as "inf", what is not known as null; a row's own
 *          `kind` ("percent") is that of its numbers
 */
export function Table({ name, caption, columns, rows }) {
  const [sort, setSort] = useState({ key: null, down: false });
  const [query, setQuery] = useState("");
  const [all, setAll] = useState(false);
  const id = useId();
  const found = useMemo(() => search(rows, columns, query), [rows, columns, query]);
  const sorted = useMemo(() => order(found, columns, sort), [found, columns, sort]);
  const shown = all ? sorted : sorted.slice(0, FIRST);
  const press = ({ key, kind }) => {
    const first = !isText(kind); // numbers from the greatest, names from A
    setSort(sort.key === key ? { key, down: !sort.down } : { key, down: first });
  };
  const save = () =>
    download(
      `${name}.csv`,
      toCsv(columns.map((c) => c.name), sorted.map((row) => columns.map((c) => row[c.key]))),
      "text/csv",
    );

  return (
    <div>
      <div class="table-tools no-print">
        {rows.length > 5 && (
          <input
            class="field"
            type="search"
            placeholder="Search"
            aria-label={`Search: ${caption}`}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        )}
        <span class="table-count" role="status">
          {found.length === rows.length
            ? `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`
            : `${count(found.length)} of ${count(rows.length)} rows`}
        </span>
        <button class="button" type="button" aria-label={`Save as CSV: ${caption}`} onClick={save}>
          CSV
        </button>
      </div>
      <div class="table-scroll" tabIndex={0} role="region" aria-labelledby={id}>
        <table class="table">
          <caption class="hidden" id={id}>
            {caption}
          </caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <Header
                  key={column.key}
                  column={column}
                  sort={sort.key === column.key ? sort : null}
                  press={() => press(column)}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, i) => (
              <tr key={i}>
                {columns.map((column, j) => (
                  <Cell key={column.key} column={column} value={row[column.key]} head={j === 0}
                    show={row.kind} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > FIRST && (
        <button class="button table-more" type="button" onClick={() => setAll(!all)}>
          {all ? `Show the first ${FIRST}` : `Show all ${count(sorted.length)}`}
        </button>
      )}
    </div>
  );
}

function Header({ column, sort, press }) {
  const arrow = sort === null ? "" : sort.down ? " ↓" : " ↑";
  return (
    <th
      scope="col"
      class={isText(column.kind) ? column.kind : "number"}
      aria-sort={sort === null ? undefined : sort.down ? "descending" : "ascending"}
    >
      <button type="button" onClick={press}>
        {column.name}
        <span aria-hidden="true">{arrow}</span>
      </button>
    </th>
  );
}

function Cell({ column, value, head, show }) {
  const how = column.kind === "number" && show ? show : column.kind;
  const text = value === null || value === undefined ? "–" : SHOW[how](value);
  const shown = isText(column.kind) ? <bdi>{text}</bdi> : text;
  const kind = isText(column.kind) ? column.kind : "number";
  return head ? (
    <th scope="row" class={kind}>
      {shown}
    </th>
  ) : (
    <td class={kind}>{shown}</td>
  );
}

function isText(kind) {
  return kind === "name" || kind === "words";
}

function search(rows, columns, query) {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return rows;
  const keys = columns.filter((c) => isText(c.kind)).map((c) => c.key);
  return rows.filter((row) => keys.some((key) => String(row[key]).toLowerCase().includes(wanted)));
}

function order(rows, columns, { key, down }) {
  if (key === null) return rows;
  const { kind } = columns.find((column) => column.key === key);
  const words = new Intl.Collator(undefined, { numeric: true });
  const sign = down ? -1 : 1;
  const compare = (a, b) =>
    isText(kind)
      ? sign * words.compare(String(a[key]), String(b[key]))
      : numbers(toNumber(a[key]), toNumber(b[key]), sign);
  return [...rows].sort(compare);
}

/** Unknown values come last in either order. */
function numbers(a, b, sign) {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return a === b ? 0 : sign * (a < b ? -1 : 1);
}
