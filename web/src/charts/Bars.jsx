// Level bars, one below the other, each with its name and its value.
import { scaleLinear } from "d3-scale";
import { Chart } from "../parts/Chart.jsx";
import { number, toNumber } from "../parts/format.js";
import { fitText, textWidth } from "../parts/measure.js";

const ROW = 28;
const GAP = 8;

/**
 * bars   [{name, value, color, text?: [line, …], note?}]: value may be "inf"; note stands behind it;
 *          {heading} instead is a line of text above the bars that follow
 * show   value => text
 */
export function Bars({ name, label, description, bars, show = number }) {
  const drawn = bars.filter((bar) => !bar.heading);
  const values = drawn.map((bar) => toNumber(bar.value));
  const most = Math.max(0, ...values.filter(Number.isFinite)) || 1;
  const behind = (bar) => [show(bar.value), bar.note].filter(Boolean).join("  ");
  const layout = (width) => {
    const widest = (texts, limit) => Math.min(limit, Math.max(0, ...texts.map((t) => textWidth(t, 600))));
    const names = widest(drawn.map((bar) => bar.name.slice(0, 100)), width * 0.3) + 2;
    const room = widest(drawn.map(behind), width * 0.4) + GAP;
    const scale = scaleLinear([0, most], [0, Math.max(10, width - names - GAP - room)]);
    return { names, scale };
  };
  const length = (bar, scale) => scale(Math.min(most, Math.max(0, toNumber(bar.value) || 0)));
  return (
    <Chart name={name} label={label} description={description} height={bars.length * ROW + 4} by="y"
      marks={(width) => {
        const { names, scale } = layout(width);
        return drawn.map((bar) => ({
          x: names + GAP + length(bar, scale),
          y: bars.indexOf(bar) * ROW + ROW / 2,
          text: bar.text ?? [bar.name, behind(bar)],
        }));
      }}>
      {(width) => {
        const { names, scale } = layout(width);
        return bars.map((bar, i) => (
          <g key={i} transform={`translate(0,${i * ROW})`}>
            {bar.heading ? (
              <text x="0" y={ROW / 2} dy="0.35em">{bar.heading}</text>
            ) : (
              <>
                <text class="strong" x={names} y={ROW / 2} dy="0.35em" text-anchor="end">
                  {fitText(bar.name, names, 600)}
                </text>
                <rect class={`fill-${bar.color}`} x={names + GAP} y="4" rx="2"
                  width={Math.max(1.5, length(bar, scale))} height={ROW - 8} />
                <text x={names + 2 * GAP + length(bar, scale)} y={ROW / 2} dy="0.35em">
                  {behind(bar)}
                </text>
              </>
            )}
          </g>
        ));
      }}
    </Chart>
  );
}
