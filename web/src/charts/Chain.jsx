// A chain of units: what goes forward through them above, what comes back below, as bars over
// powers of ten, each under its unit.
import { scaleLinear } from "d3-scale";
import { YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { power, toNumber } from "../parts/format.js";
import { Arrow } from "../parts/Marks.jsx";
import { textWidth } from "../parts/measure.js";

const LEFT = 44;
const NAMES = 14; // px from the top: names, units, the way back, bars
const UNITS = 76;
const BACK = 128;
const BARS = 208;
const BOTTOM = 30;
const ENDS = 0.8; // the room of the input and of the loss, which have no bar, in that of a layer
const TALL = 470;

/**
 * units   [{name, value, weight?, factor?, bar?, tip}] from left to right, values as texts; weight
 *         stands before a unit, factor on the way back to it; bar {text, size, other}, with
 *         both sizes as logarithms to 10, "-inf" for nothing
 *         The last unit is the loss; where names do not fit it is “L”, and the layers are counted.
 * scale   [from, to]: powers of ten
 * up      what the bars are; marked: what the dashed line on a bar means
 */
export function Chain({ name, label, description, units, scale, up, marked }) {
  const layout = (width, tall) => {
    const last = units.length - 1;
    const step = (width - LEFT) / (last - 1 + 2 * ENDS);
    const place = (i) => (i === 0 ? ENDS / 2 : i < last ? ENDS + i - 0.5 : last - 1 + 1.5 * ENDS);
    return {
      step,
      at: (i) => LEFT + step * place(i),
      level: scaleLinear(scale, [tall - BOTTOM, BARS]),
      radius: Math.min(28, step * 0.39),
    };
  };
  const top = ({ size, other }) => Math.max(scale[0], toNumber(size), toNumber(other));
  const marks = (width, tall) => {
    const { at, level } = layout(width, tall);
    return units.map((unit, i) => ({
      x: at(i), y: unit.bar ? level(top(unit.bar)) : UNITS, text: unit.tip,
    }));
  };
  return (
    <Chart name={name} label={label} description={description} height={TALL} marks={marks} by="x">
      {(width, tall) => {
        const { step, at, level, radius } = layout(width, tall);
        const foot = tall - BOTTOM;
        const fits = (text, wide = step) => textWidth(text, 600) <= wide - 3;
        const named = units.every((unit) => fits(unit.name));
        const every = Math.ceil(20 / step); // of the numbers, where names do not fit
        const loss = units.length - 1;
        const short = (i) => (i === loss ? "L" : i % every === 0 && i > 0 ? `${i}` : "");
        const within = Math.min(44, step * 0.6) / 2;
        const on = { across: (x) => x, up: (y) => y };
        return (
          <>
            <YAxis scale={level} x={LEFT} across={width} label={up} format={power}
              ticks={level.ticks(5).filter(Number.isInteger)} />
            {units.map((unit, i) => {
              const x = at(i);
              const before = i > 0 ? at(i - 1) : x;
              const along = (share) => x + share * (before - x);
              const factor = unit.factor && [`× ${unit.factor}`, unit.factor].find((text) => fits(text));
              return (
                <g key={i}>
                  <text x={x} y={NAMES} text-anchor="middle">{named ? unit.name : short(i)}</text>
                  {i > 0 && (
                    <line class="stroke-rest" x1={before + radius} x2={x - radius} y1={UNITS} y2={UNITS} />
                  )}
                  {unit.weight && fits(`× ${unit.weight}`) && (
                    <text x={along(0.5)} y={UNITS - radius - 8} text-anchor="middle">{`× ${unit.weight}`}</text>
                  )}
                  <circle class={`stroke-${i === loss ? "waste" : i > 0 ? "gain" : "rest"}`} cx={x} cy={UNITS} r={radius} />
                  {fits(unit.value, 2 * radius + 4) && (
                    <text class="strong halo" x={x} y={UNITS} dy="0.35em" text-anchor="middle">{unit.value}</text>
                  )}
                  {i > 1 && <Arrow on={on} ends={[[along(0.12), BACK], [along(0.88), BACK]]} color="keep" />}
                  {factor && (
                    <text x={x + step / 2} y={BACK + 20} text-anchor="middle">{factor}</text>
                  )}
                  {unit.bar && <Bar {...unit.bar} x={x} within={within} foot={foot} level={level}
                    y={level(top(unit.bar))} fits={fits(unit.bar.text)} />}
                </g>
              );
            })}
            <line class="axis" x1={LEFT} x2={width} y1={foot} y2={foot} />
            <text x={LEFT} y={tall - 8}>{`- - - ${marked}`}</text>
          </>
        );
      }}
    </Chart>
  );
}

function Bar({ x, y, within, foot, level, size, other, text, fits }) {
  const high = (of) => level(toNumber(of));
  return (
    <>
      {Number.isFinite(toNumber(size)) && (
        <rect class="fill-keep" x={x - within} y={high(size)} width={2 * within} rx="2"
          height={Math.max(1, foot - high(size))} />
      )}
      {Number.isFinite(toNumber(other)) && (
        <line class="stroke-ink thin dashed" x1={x - within - 3} x2={x + within + 3} y1={high(other)} y2={high(other)} />
      )}
      {fits && <text class="strong halo" x={x} y={y - 7} text-anchor="middle">{text}</text>}
    </>
  );
}
