// Upright columns as wide as they are likely, side by side from 0 to 1: their area is an average,
// and a level line shows that average as one rectangle of the same area.
import { scaleLinear } from "d3-scale";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { textWidth } from "../parts/measure.js";

const TOP = 40;
const BOTTOM = 64;
const LEFT = 44;

/**
 * columns  [{name, width, height, text, tip}]: widths sum to 1; one without width is left out
 * level    {value, text}: the average
 * across, up  what widths and heights are
 */
export function Areas({ name, label, description, columns, level, across, up, height = 400 }) {
  let from = 0;
  const placed = columns
    .filter((c) => c.width > 0)
    .map((c) => {
      const at = { ...c, from };
      from += c.width;
      return at;
    });
  const most = Math.max(1, ...placed.map((c) => c.height)) * 1.04;
  const scales = (width, tall) => [
    scaleLinear([0, 1], [LEFT, width - 1]),
    scaleLinear([0, most], [tall - BOTTOM, TOP]),
  ];
  const marks = (width, tall) => {
    const [x, y] = scales(width, tall);
    return placed.map((c) => ({ x: x(c.from + c.width / 2), y: y(c.height), text: c.tip }));
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks} by="x">
      {(width, tall) => {
        const [x, y] = scales(width, tall);
        const foot = tall - BOTTOM;
        const line = y(level.value);
        // The line is named where most is free above it: over the widest column that ends below.
        const named = textWidth(level.text, 600);
        const low = placed.filter((c) => c.height <= level.value);
        const over = low.reduce((best, c) => (c.width > best.width ? c : best), low[0] ?? placed[0]);
        const centre = x(over.from + over.width / 2) - named / 2;
        const begin = Math.max(LEFT + 4, Math.min(centre, width - 4 - named));
        // A column's number is left out where the line, or its name, would touch it.
        const touched = (middle, half, text) =>
          (text - 14 < line + 3 && line - 3 < text + 4) ||
          (middle + half > begin - 4 && middle - half < begin + named + 4 &&
            text - 14 < line - 5 && line - 23 < text + 4);
        return (
          <>
            <YAxis scale={y} x={LEFT} across={width} label={up} />
            {placed.map((c) => {
              const [left, wide] = [x(c.from), x(c.from + c.width) - x(c.from)];
              const middle = left + wide / 2;
              const fits = (text) => textWidth(text, 600) <= wide - 4;
              return (
                <g key={c.name}>
                  <rect class="fill-keep" x={left + 0.75} y={y(c.height)}
                    width={Math.max(1, wide - 1.5)} height={Math.max(1.5, foot - y(c.height))} />
                  {fits(c.text) && !touched(middle, textWidth(c.text, 600) / 2, y(c.height) - 8) && (
                    <text class="strong halo" x={middle} y={y(c.height) - 8} text-anchor="middle">
                      {c.text}
                    </text>
                  )}
                  {fits(c.name) && (
                    <text class="strong" x={middle} y={foot + 17} text-anchor="middle">{c.name}</text>
                  )}
                </g>
              );
            })}
            <line class="stroke-ink" x1={LEFT} x2={width} y1={line} y2={line} />
            <text class="strong halo" x={begin} y={line - 9}>{level.text}</text>
            <XAxis scale={x} y={foot + 24} label={across} ticks={[0, 0.25, 0.5, 0.75, 1]} />
          </>
        );
      }}
    </Chart>
  );
}
