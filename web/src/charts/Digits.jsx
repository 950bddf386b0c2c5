// Pictures of digits in a row, and below them what each of several models says they are.
import { useMemo } from "preact/hooks";
import { Chart } from "../parts/Chart.jsx";
import { fitText } from "../parts/measure.js";

const SIDE = 8; // pixels
const SHADES = 4; // of grey, beside white
const TOP = 24;
const WIDEST = 44; // px of a digit
const ROW = 54; // px of a model: its name, its guesses
const CHIP = 24; // px

/**
 * digits  [{label, pixels: 64 numbers from 0 to 1}]
 * models  [{name, color, guesses: a digit for each}]: a right one is framed in the model's colour
 */
export function Digits({ name, label, description, digits, models }) {
  const shades = useMemo(() => digits.map(({ pixels }) => shaded(pixels)), [digits]);
  const layout = (width) => {
    const step = width / digits.length;
    const side = Math.min(WIDEST, step * 0.86);
    const first = TOP + side + 20;
    return { side, first, at: (i) => step * (i + 0.5) };
  };
  const right = ({ guesses }) => guesses.filter((guess, i) => guess === digits[i].label).length;
  return (
    <Chart name={name} label={label} description={description} by="x"
      height={(width) => layout(width).first + models.length * ROW - 8}
      marks={(width) => {
        const { at, side } = layout(width);
        return digits.map((digit, i) => ({
          x: at(i),
          y: TOP + side / 2,
          text: [`a ${digit.label}`, ...models.map((m) => `${m.name}: ${m.guesses[i]}`)],
        }));
      }}>
      {(width) => {
        const { at, side, first } = layout(width);
        return (
          <>
            <text class="strong" y="14">{fitText(label, width, 600)}</text>
            {shades.map((paths, i) => (
              <g key={i} transform={`translate(${at(i) - side / 2},${TOP}) scale(${side / SIDE})`}>
                {paths.map((d, k) => <path key={k} class="fill-ink" opacity={(k + 1) / SHADES} d={d} />)}
              </g>
            ))}
            {models.map((model, row) => (
              <g key={model.name} transform={`translate(0,${first + row * ROW})`}>
                <text y="0">{fitText(`${model.name}: ${right(model)} of ${digits.length} right`, width)}</text>
                {model.guesses.map((guess, i) => (
                  <g key={i} transform={`translate(${at(i)},22)`}>
                    {guess === digits[i].label && (
                      <rect class={`stroke-${model.color}`} x={-CHIP / 2} y={-CHIP / 2} width={CHIP} height={CHIP} rx="4" />
                    )}
                    <text class={guess === digits[i].label ? "strong" : undefined} dy="0.35em" text-anchor="middle">
                      {guess}
                    </text>
                  </g>
                ))}
              </g>
            ))}
          </>
        );
      }}
    </Chart>
  );
}

/** A path for each shade of grey, of the pixels that have it. */
function shaded(pixels) {
  const paths = Array(SHADES).fill("");
  pixels.forEach((value, i) => {
    const shade = Math.round(value * SHADES);
    if (shade > 0) paths[shade - 1] += `M${i % SIDE},${Math.floor(i / SIDE)}h1v1h-1z`;
  });
  return paths;
}
