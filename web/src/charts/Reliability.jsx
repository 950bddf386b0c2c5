// How sure the model is against how often it is right, and how many rows each point stands for.
import { scaleLinear, scaleSqrt } from "d3-scale";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { brief, count, percent } from "../parts/format.js";
import { textWidth } from "../parts/measure.js";

const TOP = 34;
const BOTTOM = 46;
const LEFT = 52;
const COUNTS = 78; // px for the rows per bin, below
const BETWEEN = 40;

/** bins: [{bin: [low, high], rows, confidence, accuracy}] as in a result */
export function Reliability({ name, label, description, bins }) {
  const used = bins.filter((item) => item.confidence !== null && item.accuracy !== null);
  const most = Math.max(1, ...bins.map((item) => item.rows));
  const start = used.length && Math.min(...used.map((item) => item.bin[0])) >= 0.5 ? 0.5 : 0;
  const side = (width) => Math.min(width - LEFT - 14, 460);
  const square = (width) => Math.min(side(width), 400);
  const scales = (width) => [
    scaleLinear([start, 1], [LEFT, LEFT + side(width)]),
    scaleLinear([0, 1], [TOP + square(width), TOP]),
  ];
  const text = (item) => [
    `sure ${percent(item.confidence)}`,
    `right ${percent(item.accuracy)}`,
    `${count(item.rows)} rows`,
  ];
  return (
    <Chart name={name} label={label} description={description} by="x"
      height={(width) => TOP + square(width) + BETWEEN + COUNTS + BOTTOM}
      marks={(width) => {
        const [across, up] = scales(width);
        return used.map((item) => ({
          x: across(item.confidence), y: up(item.accuracy), text: text(item),
        }));
      }}>
      {(width, tall) => {
        const [across, up] = scales(width);
        const foot = tall - BOTTOM;
        const down = scaleSqrt([0, most], [foot, foot - COUNTS]);
        const size = scaleSqrt([0, most], [3, 11]);
        const whole = (x) => `${brief(100 * x)} %`;
        return (
          <>
            <YAxis scale={up} x={LEFT} across={LEFT + side(width)} label="how often right"
              ticks={[0, 0.25, 0.5, 0.75, 1]} format={whole} />
            <line class="stroke-rest thin dashed" x1={across(start)} x2={across(1)} y1={up(start)}
              y2={up(1)} />
            {used.map((item) => (
              <line key={item.bin[0]} class={item.accuracy < item.confidence ? "stroke-waste" : "stroke-gain"}
                x1={across(item.confidence)} x2={across(item.confidence)} y1={up(item.confidence)}
                y2={up(item.accuracy)} />
            ))}
            {used.map((item) => (
              <circle key={item.bin[0]} class={item.accuracy < item.confidence ? "fill-waste" : "fill-gain"}
                cx={across(item.confidence)} cy={up(item.accuracy)} r={size(item.rows)} />
            ))}
            <text x="0" y={foot - COUNTS - 16}>
              rows
            </text>
            {bins.map((item) => item.bin[0] >= start && item.rows > 0 && (
              <g key={item.bin[0]}>
                <rect class="fill-rest" x={across(item.bin[0]) + 1} y={down(item.rows)}
                  width={Math.max(1, across(item.bin[1]) - across(item.bin[0]) - 2)}
                  height={Math.max(1, foot - down(item.rows))} />
                <text class="halo" x={(across(item.bin[0]) + across(item.bin[1])) / 2}
                  y={down(item.rows) - 5} text-anchor="middle">
                  {textWidth(shortCount(item.rows)) + 2 < across(item.bin[1]) - across(item.bin[0])
                    ? shortCount(item.rows) : ""}
                </text>
              </g>
            ))}
            <XAxis scale={across} y={foot} label="how sure (probability of the top class)"
              format={whole} ticks={start ? [0.5, 0.6, 0.7, 0.8, 0.9, 1] : [0, 0.25, 0.5, 0.75, 1]} />
          </>
        );
      }}
    </Chart>
  );
}

function shortCount(n) {
  return n < 1000 ? count(n) : n < 1e6 ? `${brief(n / 1000)}k` : `${brief(n / 1e6)}M`;
}
