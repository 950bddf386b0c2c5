// Level bars of parts laid end to end, on one scale, so that totals can be compared.
import { scaleLinear } from "d3-scale";
import { XAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { textWidth } from "../parts/measure.js";

const BAR = 56;
const HEAD = 24;
const GAP = 22;
const BOTTOM = 46;

/** stacks: [{name, parts: [{name, value, text, color}]}]; an infinite part fills what is left */
export function Stacks({ name, label, description, stacks, unit }) {
  const finite = (parts) => parts.map((p) => p.value).filter(Number.isFinite).reduce((a, b) => a + b, 0);
  const endless = stacks.some(({ parts }) => parts.some((p) => p.value === Infinity));
  const most = (Math.max(...stacks.map(({ parts }) => finite(parts))) || 1) * (endless ? 1.5 : 1.04);
  const place = (parts, scale) => {
    let from = 0;
    return parts.map((part) => {
      const to = Math.min(most, from + part.value);
      const at = { ...part, x: scale(from), width: Math.max(0, scale(to) - scale(from)) };
      from = to;
      return at;
    });
  };
  const row = (i) => i * (HEAD + BAR + GAP);
  const height = row(stacks.length) + BOTTOM;
  const across = (width) => scaleLinear([0, most], [0, width - 2]);
  return (
    <Chart name={name} label={label} description={description} height={height}
      marks={(width) =>
        stacks.flatMap(({ parts }, i) =>
          place(parts, across(width)).map((part) => ({
            x: part.x + part.width / 2,
            y: row(i) + HEAD + BAR / 2,
            text: [part.name, `${part.text} ${unit}`],
          })),
        )}>
      {(width, tall) => {
        const scale = across(width);
        return (
          <>
            {stacks.map((stack, i) => (
              <g key={stack.name} transform={`translate(0,${row(i)})`}>
                <text x="0" y={HEAD - 8}>{stack.name}</text>
                {place(stack.parts, scale).map((part) => (
                  <g key={part.name}>
                    <rect class={`fill-${part.color}`} x={part.x} y={HEAD} width={Math.max(0, part.width - 1.5)}
                      height={BAR} rx="3" />
                    {textWidth(part.name, 600) + 16 < part.width && (
                      <text class="on-fill" x={part.x + 8} y={HEAD + 22}>{part.name}</text>
                    )}
                    {textWidth(part.text, 600) + 16 < part.width && (
                      <text class="on-fill" x={part.x + 8} y={HEAD + 42}>{part.text}</text>
                    )}
                  </g>
                ))}
              </g>
            ))}
            <XAxis scale={scale} y={Math.max(row(stacks.length) - GAP / 2, tall - BOTTOM)} label={unit} />
          </>
        );
      }}
    </Chart>
  );
}
