// How sure the model is, and whether it should be.
import { Dots } from "../charts/Dots.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Reliability } from "../charts/Reliability.jsx";
import { Figure, Numbers } from "../parts/Figure.jsx";
import { brief, number, toNumber } from "../parts/format.js";
import { Legend } from "../parts/Legend.jsx";
import { Table } from "../parts/Table.jsx";

export function TemperatureCurve({ id, result, words }) {
  const fit = result.temperature;
  const curve = words.curve.map(([t, loss]) => [t, toNumber(loss)]);
  const [from, to] = fit.interval ?? [];
  const bands = fit.interval ? [{ from, to, name: words.level }] : [];
  const unit = `${result.unit}s per row`;
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

export function Recalibration({ id, result, words }) {
  const { family, cross_entropy: losses, aside = {} } = result.recalibration;
  const tried = Object.entries(losses).map(([name, loss]) => ({
    name, loss, text: name === family ? "taken" : "",
  }));
  const rows = [
    ...tried,
    ...Object.entries(aside).map(([name, why]) => ({
      name, loss: null, text: `not tried: ${why}`,
    })),
  ];
  return (
    <Figure id={id} words={words}>
      <Dots name="recalibration" label="Cross-entropy by way of recalibrating"
        description={words.title} axis={`${result.unit}s per row, on rows not fitted to`}
        dots={tried
          .filter(({ loss }) => Number.isFinite(toNumber(loss)))
          .map(({ name, loss }) => ({
            name, value: loss, strong: name === family, color: name === family ? "gain" : "rest",
          }))} />
      <Table name="recalibration" caption="Cross-entropy by way of recalibrating"
        columns={[
          { key: "name", name: "family", kind: "name" },
          { key: "loss", name: `${result.unit}s per row`, kind: "number" },
          { key: "text", name: "outcome", kind: "words" },
        ]}
        rows={rows} />
    </Figure>
  );
}
