// Shares of the rows between edges. The upright axis is a square root, so that rare rows are seen.
import { scaleLinear, scaleSqrt } from "d3-scale";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { brief, percent } from "../parts/format.js";

const TOP = 34;
const BOTTOM = 46;
const LEFT = 52;
const RIGHT = 14;
const EXTRA = 44; // px for each share that is beyond the edges

/**
 * edges   n + 1 numbers; weights: n shares of 1
 * extras  [{name, weight, color}]: shares beyond the last edge, each as a bar of its own
 * axis    what is along the bottom, with its unit
 * color   bin's [low, high] => colour
 * line    {x, name}: an upright line to compare with
 */
export function Histogram({
  name, label, description, edges, weights, extras = [], axis, color = () => "gain", line,
  height = 300,
}) {
  const most = Math.max(...weights, ...extras.map((e) => e.weight)) || 1;
  const scales = (width, tall) => [
    scaleLinear([edges[0], edges.at(-1)], [LEFT, width - RIGHT - extras.length * EXTRA]),
    scaleSqrt([0, most], [tall - BOTTOM, TOP]),
  ];
  const marks = (width, tall) => {
    const [across, up] = scales(width, tall);
    const bins = weights.map((weight, i) => ({
      x: (across(edges[i]) + across(edges[i + 1])) / 2,
      y: up(weight),
      text: [`${brief(edges[i])} to ${brief(edges[i + 1])}`, `${percent(weight)} of the rows`],
    }));
    const beyond = extras.map((extra, i) => ({
      x: across.range()[1] + (i + 0.5) * EXTRA + 5,
      y: up(extra.weight),
      text: [extra.name, `${percent(extra.weight)} of the rows`],
    }));
    return [...bins, ...beyond];
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks} by="x">
      {(width, tall) => {
        const [across, up] = scales(width, tall);
        const foot = tall - BOTTOM;
        const end = across.range()[1];
        return (
          <>
            <YAxis scale={up} x={LEFT} across={width - RIGHT} label="share of the rows"
              ticks={ticksOf(most)} format={(x) => `${brief(100 * x)} %`} />
            {weights.map((weight, i) => (
              <rect key={i} class={`fill-${color([edges[i], edges[i + 1]])}`} x={across(edges[i])}
                width={Math.max(0.5, across(edges[i + 1]) - across(edges[i]) - 1)} y={up(weight)}
                height={foot - up(weight)} />
            ))}
            <XAxis scale={across} y={foot} label={axis} />
            {extras.map((extra, i) => (
              <g key={extra.name} transform={`translate(${end + i * EXTRA + 10},0)`}>
                <rect class={`fill-${extra.color}`} width={EXTRA - 14} y={up(extra.weight)}
                  height={foot - up(extra.weight)} />
                <line class="axis" x1="0" x2={EXTRA - 14} y1={foot} y2={foot} />
                <text x={(EXTRA - 14) / 2} y={foot + 19} text-anchor="middle">
                  {extra.short}
                </text>
              </g>
            ))}
            {line && line.x >= edges[0] && line.x <= edges.at(-1) && (
              <g>
                <line class="stroke-ink thin dashed" x1={across(line.x)} x2={across(line.x)}
                  y1={TOP} y2={foot} />
                <text class="strong halo" x={across(line.x)} dx={side(across, line.x) ? -6 : 6}
                  y={TOP + 10} text-anchor={side(across, line.x) ? "end" : "start"}>
                  {line.name}
                </text>
              </g>
            )}
          </>
        );
      }}
    </Chart>
  );
}

function side(scale, x) {
  const [from, to] = scale.range();
  return scale(x) > (from + to) / 2;
}

/** Ticks that do not touch each other on an axis with a square root. */
function ticksOf(most) {
  const steps = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1];
  const shown = steps.filter((step) => step <= most * 1.001);
  return [0, ...shown.filter((step) => step >= most / 200)];
}
