// Values as dots on one axis, one below the other; for what is compared, not added.
import { scaleLinear } from "d3-scale";
import { XAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { number } from "../parts/format.js";
import { fitText, textWidth } from "../parts/measure.js";

const ROW = 32;
const GAP = 14;
const BOTTOM = 46;

/**
 * dots   [{name, value, color, strong?, interval?: [low, high], text?: [line, …]}], values finite
 * axis   what the values are, with their unit
 * lines  [{at, name}]: upright lines to compare with
 */
export function Dots({ name, label, description, dots, axis, lines = [] }) {
  const all = [
    ...dots.flatMap((dot) => [dot.value, ...(dot.interval ?? [])]),
    ...lines.map((line) => line.at),
  ];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low || Math.abs(high) || 1) * 0.08;
  const top = lines.length > 0 ? 24 : 4;
  const layout = (width) => {
    const widest = Math.max(0, ...dots.map((dot) => textWidth(dot.name.slice(0, 100), 600)));
    const names = Math.min(widest + 2, width * 0.34);
    const room = Math.max(0, ...dots.map((dot) => textWidth(number(dot.value), 600))) + 16;
    return { names, scale: scaleLinear([low - pad, high + pad], [names + GAP, width - room]) };
  };
  return (
    <Chart name={name} label={label} description={description} by="y"
      height={top + dots.length * ROW + BOTTOM}
      marks={(width) => {
        const { scale } = layout(width);
        return dots.map((dot, i) => ({
          x: scale(dot.value),
          y: top + i * ROW + ROW / 2,
          text: dot.text ?? [dot.name, number(dot.value), ...reach(dot)],
        }));
      }}>
      {(width, tall) => {
        const { names, scale } = layout(width);
        const [from, to] = scale.range();
        return (
          <>
            <XAxis scale={scale} y={tall - BOTTOM} label={axis} />
            {lines.map((line) => (
              <g key={line.name}>
                <line class="stroke-rest thin dashed" x1={scale(line.at)} x2={scale(line.at)}
                  y1={top} y2={tall - BOTTOM} />
                <text x={scale(line.at)} y={top - 8}
                  text-anchor={scale(line.at) > (from + to) / 2 ? "end" : "start"}>
                  {line.name}
                </text>
              </g>
            ))}
            {dots.map((dot, i) => (
              <g key={dot.name} transform={`translate(0,${top + i * ROW + ROW / 2})`}>
                <text class={dot.strong ? "strong" : ""} x={names} dy="0.35em" text-anchor="end">
                  {fitText(dot.name, names, 600)}
                </text>
                <line class="grid" x1={from} x2={to} />
                {dot.interval && (
                  <line class={`stroke-${dot.color}`} x1={scale(dot.interval[0])}
                    x2={scale(dot.interval[1])} />
                )}
                <circle class={`fill-${dot.color}`} cx={scale(dot.value)} r={dot.strong ? 7 : 5} />
                <text class={dot.strong ? "strong halo" : "halo"} x={scale(dot.interval?.[1] ?? dot.value) + 12}
                  dy="0.35em">
                  {number(dot.value)}
                </text>
              </g>
            ))}
          </>
        );
      }}
    </Chart>
  );
}

/** An interval as a line of text, where there is one. */
function reach({ interval }) {
  return interval ? [interval.map(number).join(" to ")] : [];
}
