// Upright columns of shares, each with what the truth is, and an arrow for where training pulls it.
import { scaleBand, scaleLinear } from "d3-scale";
import { YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { fitText, textWidth } from "../parts/measure.js";

const TOP = 40;
const BOTTOM = 46;
const LEFT = 44;
const HEAD = 5; // px of an arrow's head

/**
 * columns  [{name, value, text, color, mark?, pull?, pullText?, tip}]: value and mark from 0 to
 *          `most`; pull > 0 is an arrow upwards
 * axis     what the columns are; up: what their height is; marked: what a dashed line at mark means
 */
export function Columns({
  name, label, description, columns, axis, up, marked, most = 1, height = 380,
}) {
  const pulls = columns.some((c) => c.pull !== undefined);
  const scales = (width, tall) => [
    scaleBand(columns.map((_, i) => i), [LEFT, width]).paddingInner(0.25).paddingOuter(0.1),
    scaleLinear([0, most], [tall - BOTTOM, TOP]),
  ];
  const marks = (width, tall) => {
    const [across, level] = scales(width, tall);
    return columns.map((c, i) => ({ x: across(i) + across.bandwidth() / 2, y: level(c.value), text: c.tip }));
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks} by="x">
      {(width, tall) => {
        const [across, level] = scales(width, tall);
        const [foot, band] = [tall - BOTTOM, across.bandwidth()];
        const reach = foot - TOP;
        return (
          <>
            <YAxis scale={level} x={LEFT} across={width} label={up} />
            {columns.map((c, i) => {
              const middle = across(i) + (pulls ? band * 0.36 : band / 2);
              const wide = pulls ? band * 0.72 : band;
              const high = level(c.value);
              const fits = textWidth(c.text, 600) <= across.step() - 4;
              return (
                <g key={i}>
                  <rect class={`fill-${c.color}`} x={across(i)} y={high} width={wide} rx="2"
                    height={Math.max(1, foot - high)} />
                  {c.mark !== undefined && (
                    <line class="stroke-ink thin dashed" x1={across(i) - 2} x2={across(i) + wide + 2}
                      y1={level(c.mark)} y2={level(c.mark)} />
                  )}
                  {fits && (
                    <text class="strong halo" x={middle} y={high - 8} text-anchor="middle">{c.text}</text>
                  )}
                  {c.pull !== undefined && Math.abs(c.pull) > 5e-4 && (
                    <Arrow x={across(i) + band * 0.88}
                      length={Math.min(1, Math.abs(c.pull)) * reach} down={c.pull < 0} foot={foot} />
                  )}
                  <text x={middle} y={foot + 19} text-anchor="middle">
                    {fitText(c.name, across.step() - 4)}
                  </text>
                </g>
              );
            })}
            <line class="axis" x1={LEFT} x2={width} y1={foot} y2={foot} />
            <text x={width} y={tall - 8} text-anchor="end">{axis}</text>
            {marked && <text x={LEFT} y={tall - 8}>{`- - - ${marked}${pulls ? "    ↑ where training pulls" : ""}`}</text>}
          </>
        );
      }}
    </Chart>
  );
}

/** From the foot upwards by its length, its head at the end it points to. */
function Arrow({ x, length, down, foot }) {
  const long = Math.max(2 * HEAD, length);
  const [tail, tip] = down ? [foot - long, foot] : [foot, foot - long];
  const back = down ? -HEAD : HEAD;
  const color = down ? "waste" : "gain";
  return (
    <g>
      <line class={`stroke-${color}`} x1={x} x2={x} y1={tail} y2={tip + back} />
      <path class={`fill-${color}`} d={`M${x - HEAD},${tip + back * 1.6}L${x + HEAD},${tip + back * 1.6}L${x},${tip}Z`} />
    </g>
  );
}
