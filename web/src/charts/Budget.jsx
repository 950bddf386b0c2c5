// The budget that code words share: on row ℓ it is cut into 2^ℓ parts, and a word of ℓ digits takes
// the part that its digits lead to, with all that lies below.
import { scaleLinear } from "d3-scale";
import { XAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { textWidth } from "../parts/measure.js";

const TOP = 26;
const ROW = 52;
const BOTTOM = 46;
const LEFT = 26;

/**
 * words    [{name, word, length, from, share, slot, slots, clash, color, tip}]: from and share are
 *          of the budget; words that are the same stand in slots of one part
 * deepest  the last row
 */
export function Budget({ name, label, description, words, deepest }) {
  const first = words.some((w) => w.length === 0) ? 0 : 1;
  const rows = Array.from({ length: deepest - first + 1 }, (_, i) => first + i);
  const height = TOP + rows.length * ROW + BOTTOM;
  const foot = height - BOTTOM;
  const across = (width) => scaleLinear([0, 1], [LEFT, width - 1]);
  const row = (length) => TOP + (length - first) * ROW;
  const place = (w, x) => ({
    left: x(w.from), wide: x(w.from + w.share) - x(w.from),
    top: row(w.length) + (w.slot * ROW) / w.slots, tall: ROW / w.slots,
  });
  const marks = (width) =>
    words.map((w) => {
      const { left, wide, top, tall } = place(w, across(width));
      return { x: left + wide / 2, y: top + tall / 2, text: w.tip };
    });
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks}>
      {(width) => {
        const x = across(width);
        return (
          <>
            <text x="0" y="14">digits</text>
            {rows.map((length) => (
              <g key={length}>
                <text x={LEFT - 10} y={row(length) + ROW / 2} dy="0.35em" text-anchor="end">{length}</text>
                {Array.from({ length: 2 ** length }, (_, i) => (
                  <rect key={i} class="cell" x={x(i / 2 ** length)} y={row(length)} height={ROW}
                    width={x(1 / 2 ** length) - LEFT} />
                ))}
              </g>
            ))}
            {words.map((w) => {
              const { left, wide } = place(w, x);
              return (
                <rect key={w.name} class={`fill-${w.color} faint`} x={left} y={row(w.length) + ROW} width={wide}
                  height={Math.max(0, foot - row(w.length) - ROW)} />
              );
            })}
            {words.map((w) => <Word key={w.name} {...w} {...place(w, x)} />)}
            <XAxis scale={x} y={foot} label="share of the budget" ticks={[0, 0.25, 0.5, 0.75, 1]} />
          </>
        );
      }}
    </Chart>
  );
}

function Word({ name, word, color, clash, left, wide, top, tall }) {
  const fits = (text) => textWidth(text, 600) + 8 <= wide;
  const both = tall >= 40 && word && fits(name) && fits(word);
  const one = fits(word || name) ? word || name : "";
  const middle = left + wide / 2;
  return (
    <g>
      <rect class={`fill-${color}${clash ? " clash" : ""}`} x={left + 1} y={top + 1} rx="2"
        width={Math.max(1.5, wide - 2)} height={Math.max(1.5, tall - 2)} />
      {both ? (
        <>
          <text class="on-fill" x={middle} y={top + tall / 2 - 5} text-anchor="middle">{word}</text>
          <text class="on-fill" x={middle} y={top + tall / 2 + 14} text-anchor="middle">{name}</text>
        </>
      ) : (
        one && tall >= 16 && (
          <text class="on-fill" x={middle} y={top + tall / 2} dy="0.35em" text-anchor="middle">{one}</text>
        )
      )}
    </g>
  );
}
