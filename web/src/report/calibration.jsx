// How sure the model is, and whether it should be.
import { Dots } from "../charts/Dots.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Reliability } from "../charts/Reliability.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { brief, number, toNumber } from "../parts/format.js";
import { Legend } from "../parts/Legend.jsx";
import { Table } from "../parts/Table.jsx";

export function TemperatureCurve({ id, result, words, units }) {
  const fit = result.temperature;
  const curve = words.curve.map(([t, loss]) => [t, toNumber(loss)]);
  const [from, to] = fit.interval ?? [];
  const bands = fit.interval ? [{ from, to, name: words.level }] : [];
  const unit = `${units} per row`;
  if (curve.length === 0) return <Figure id={id} words={words} />;
  return (
    <Figure id={id} words={words}>
      <Lines
        name="temperature"
        label="Cross-entropy by temperature"
        description={words.title}
        series={[{ name: "cross-entropy", points: curve, color: "keep" }]}
        x={{ label: "temperature T", scale: "log", ticks: words.ticks }}
        y={{ label: unit, scale: "linear", show: number }}
        lines={[{ x: 1, name: "T = 1" }]}
        points={words.points}
        bands={bands}
      />
      <Numbers>
        <Table name="temperature" caption="Cross-entropy by temperature"
          columns={[
            { key: "t", name: "T", kind: "number" },
            { key: "loss", name: unit, kind: "number" },
          ]}
          rows={fit.curve.map(([t, loss]) => ({ t, loss }))} />
      </Numbers>
    </Figure>
  );
}

export function Calibration({ id, result, words }) {
  const bins = result.reliability;
  return (
    <Figure id={id} words={words}>
      <Reliability name="reliability" label="Confidence against accuracy"
        description={`${words.title}. The dashed line is perfect calibration.`} bins={bins} />
      <p class="note">The area of a point stands for its rows.</p>
      <Legend items={[
        { color: "waste", name: "too sure", text: "right less often than said" },
        { color: "gain", name: "too timid", text: "right more often than said" },
      ]} />
      <Numbers>
        <Table name="reliability" caption="Confidence against accuracy"
          columns={[
            { key: "bin", name: "confidence", kind: "name" },
            { key: "rows", name: "rows", kind: "count" },
            { key: "confidence", name: "mean", kind: "percent" },
            { key: "accuracy", name: "accuracy", kind: "percent" },
          ]}
          rows={bins.map((item) => ({ ...item, bin: item.bin.map(brief).join(" to ") }))} />
      </Numbers>
    </Figure>
  );
}

export function Recalibration({ id, words, units }) {
  const finite = words.ways.filter((way) => Number.isFinite(toNumber(way.cross_entropy)));
  if (words.ways.length === 0) return <Figure id={id} words={words} />;
  return (
    <Figure id={id} words={words}>
      <Dots name="recalibration" label="Cross-entropy by way of recalibrating"
        description={words.title} axis={`${units} per row, on rows not fitted to`}
        dots={finite.map((way) => ({
          name: way.name, value: way.cross_entropy, strong: way.taken,
          color: way.taken ? "gain" : "rest",
        }))} />
      <Table name="recalibration" caption="Cross-entropy by way of recalibrating"
        columns={[
          { key: "name", name: "family", kind: "name" },
          { key: "cross_entropy", name: `${units} per row`, kind: "number" },
          { key: "saved", name: "saved", kind: "number" },
          { key: "outcome", name: "outcome", kind: "words" },
        ]}
        rows={words.ways} />
    </Figure>
  );
}
