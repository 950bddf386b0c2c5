// How the loss is spread over the rows, and over groups of them.
import { Dots } from "../charts/Dots.jsx";
import { Histogram } from "../charts/Histogram.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { brief, number, toNumber } from "../parts/format.js";
import { Table } from "../parts/Table.jsx";

const MOST_SLICES = 15;

function binTable(name, caption, units, { edges, weight }, extras = []) {
  const bins = weight.map((share, i) => ({ from: edges[i], to: edges[i + 1], share }));
  return (
    <Numbers>
      <Table name={name} caption={caption}
        columns={[
          { key: "from", name: `from (${units})`, kind: "number" },
          { key: "to", name: "to", kind: "number" },
          { key: "share", name: "share of the rows", kind: "percent" },
        ]}
        rows={[...bins, ...extras]} />
    </Numbers>
  );
}

/** The histogram without the empty bins at its ends. */
function trimmed({ edges, weight }) {
  const first = Math.max(0, weight.findIndex((share) => share > 0));
  const last = Math.max(first, weight.findLastIndex((share) => share > 0));
  return { edges: edges.slice(first, last + 2), weight: weight.slice(first, last + 1) };
}

export function SurprisalHistogram({ id, result, words, units }) {
  const { edges, weight, beyond, infinite } = result.histograms.surprisal;
  const end = edges.at(-1);
  const drawn = beyond > 0 ? { edges, weight } : trimmed({ edges, weight });
  const extras = [
    { name: `beyond ${brief(end)}`, short: "more", weight: beyond, color: "keep" },
    { name: "infinite", short: "∞", weight: infinite, color: "waste" },
  ].filter((extra) => extra.weight > 0);
  const others = [
    { from: end, to: "inf", share: beyond },
    { from: "inf", to: "inf", share: infinite },
  ].filter(({ share }) => share > 0);
  return (
    <Figure id={id} words={words}>
      <Histogram name="surprisal" label="Surprisal of the rows" description={words.title}
        edges={drawn.edges} weights={drawn.weight} extras={extras}
        axis={`surprisal of a row, ${units}`} color={() => "keep"}
        line={{ x: toNumber(result.label_entropy), name: "no model, on average" }} />
      <p class="note">The upright axis is a square root, so that rare rows are seen.</p>
      {binTable("surprisal", "Surprisal of the rows", units, drawn, others)}
    </Figure>
  );
}

export function PointwiseHistogram({ id, result, words, units }) {
  const { infinite, ...histogram } = result.histograms.pointwise_information;
  const drawn = trimmed(histogram);
  const endless = infinite > 0;
  return (
    <Figure id={id} words={words}>
      <Histogram name="information" label="Information of the rows" description={words.title}
        edges={drawn.edges} weights={drawn.weight}
        extras={endless
          ? [{ name: "minus infinity", short: "−∞", weight: infinite, color: "waste" }] : []}
        axis={`pointwise information of a row, ${units}`}
        color={([, high]) => (high <= 0 ? "waste" : "gain")}
        line={{ x: 0, name: "no better than no model" }} />
      {binTable("information", "Information of the rows", units, drawn,
        endless ? [{ from: "-inf", to: "-inf", share: infinite }] : [])}
    </Figure>
  );
}

export function Surprises({ id, words, units }) {
  const named = words.rows.some((item) => item.id !== null);
  const rows = words.rows.map((item) => ({ ...item, at: String(item.id ?? item.row ?? "") }));
  return (
    <Figure id={id} words={words} long>
      <Table name="surprises" caption="The rows that cost most"
        columns={[
          { key: "at", name: named ? "id" : "row", kind: "name" },
          { key: "label", name: "label", kind: "name" },
          { key: "predicted", name: "predicted", kind: "name" },
          { key: "q_label", name: "q(label)", kind: "number" },
          { key: "surprisal", name: units, kind: "number" },
        ]}
        rows={rows} />
    </Figure>
  );
}

export function Slices({ id, result, words, units }) {
  return (
    <>
      {words.map((item, i) => (
        <Slice key={item.column} id={i === 0 ? id : `${id}-${i}`} result={result} words={item}
          units={units} />
      ))}
    </>
  );
}

function Slice({ id, result, words, units }) {
  const rows = Object.entries(result.slices[words.column])
    .map(([value, item]) => ({ value, ...item }))
    .sort((a, b) => toNumber(b.cross_entropy) - toNumber(a.cross_entropy) || 0);
  const finite = rows.filter((row) => Number.isFinite(toNumber(row.cross_entropy)));
  const overall = toNumber(result.cross_entropy);
  const unit = `${units} per row`;
  return (
    <Figure id={id} words={words}>
      {finite.length > 0 && (
        <Dots name={`slices-${words.anchor}`} label={`Cross-entropy by ${words.column}`}
          description={words.title} axis={unit}
          lines={Number.isFinite(overall) ? [{ at: overall, name: `all ${number(overall)}` }] : []}
          dots={finite.slice(0, MOST_SLICES).map((row) => ({
            name: row.value, value: row.cross_entropy, color: "keep",
          }))} />
      )}
      <Table name={`slices-${words.anchor}`} caption={`Groups by ${words.column}`}
        columns={[
          { key: "value", name: words.column, kind: "name" },
          { key: "rows", name: "rows", kind: "count" },
          { key: "cross_entropy", name: unit, kind: "number" },
          { key: "information_gain", name: "information gain", kind: "number" },
        ]}
        rows={rows} />
    </Figure>
  );
}
