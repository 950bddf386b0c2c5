// Axes with few, readable ticks; the label of an axis stands level, at its end.
import { brief } from "./format.js";

/** Along the bottom at height y. `ticks` are values; by default the scale's own, by its width. */
export function XAxis({ scale, y, label, ticks, format = brief, grid = 0 }) {
  const [from, to] = scale.range();
  const shown = ticks ?? scale.ticks(Math.max(2, Math.min(8, Math.abs(to - from) / 80)));
  return (
    <g aria-hidden="true">
      {shown.map((tick) => (
        <g key={tick} transform={`translate(${scale(tick)},${y})`}>
          {grid > 0 && <line class="grid" y1={-grid} />}
          <line class="axis" y2="5" />
          <text y="19" text-anchor="middle">
            {format(tick)}
          </text>
        </g>
      ))}
      <line class="axis" x1={from} x2={to} y1={y} y2={y} />
      <text x={to} y={y + 38} text-anchor="end">
        {label}
      </text>
    </g>
  );
}

/** At the left, x px from the edge, with lines across to `across`. */
export function YAxis({ scale, x, label, ticks, format = brief, across }) {
  const [bottom, top] = scale.range();
  const shown = ticks ?? scale.ticks(Math.max(2, Math.min(6, Math.abs(bottom - top) / 48)));
  return (
    <g aria-hidden="true">
      {shown.map((tick) => (
        <g key={tick} transform={`translate(0,${scale(tick)})`}>
          <line class="grid" x1={x} x2={across} />
          <text x={x - 8} dy="0.35em" text-anchor="end">
            {format(tick)}
          </text>
        </g>
      ))}
      <text x="0" y={top - 14}>
        {label}
      </text>
    </g>
  );
}
