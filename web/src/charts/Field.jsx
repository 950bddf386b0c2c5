// A number for each place of a grid, as a strength of colour: the higher, the stronger. Each
// strength is the same step of the square root of the height above the least number.
import { scaleLinear } from "d3-scale";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { brief, number } from "../parts/format.js";

const TOP = 34;
const BOTTOM = 46;
const LEFT = 52;
const RIGHT = 14;
const LEVELS = 20; // strengths of colour: their edges are lines of equal height

/**
 * x, y    {label, values}: evenly spaced
 * values  [[…], …]: a row for each value of y, a number for each value of x
 * what    the name of the numbers
 * over    as for Lines
 */
export function Field({ name, label, description, x, y, values, what, color, over, height = 260 }) {
  const all = values.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const level = (value) =>
    Math.min(LEVELS - 1, Math.floor(LEVELS * Math.sqrt((value - low) / (high - low || 1))));
  const scales = (width, tall) => [
    scaleLinear(edges(x.values), [LEFT, width - RIGHT]),
    scaleLinear(edges(y.values), [tall - BOTTOM, TOP]),
  ];
  const marks = (width, tall) => {
    const [across, up] = scales(width, tall);
    return values.flatMap((row, i) =>
      row.map((value, j) => ({
        x: across(x.values[j]),
        y: up(y.values[i]),
        // Written when it is read: of thousands of texts one is shown.
        get text() {
          return [`${what} ${number(value)}`, `${x.label} ${brief(x.values[j])}`,
            `${y.label} ${brief(y.values[i])}`];
        },
      })),
    );
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks}>
      {(width, tall) => {
        const [across, up] = scales(width, tall);
        const [wide, high] = [x, y].map((axis) => (axis.values[1] - axis.values[0]) / 2);
        return (
          <>
            <YAxis scale={up} x={LEFT} across={width - RIGHT} label={y.label} />
            <g shape-rendering="crispEdges">
              {values.map((row, i) => runs(row.map(level)).map((run) => (
                <rect key={`${i}/${run.from}`} class={`fill-${color}`}
                  opacity={0.04 + (0.9 * run.level) / (LEVELS - 1)}
                  x={across(x.values[run.from] - wide)} y={up(y.values[i] + high)}
                  width={across(x.values[run.to] + wide) - across(x.values[run.from] - wide)}
                  height={up(y.values[i] - high) - up(y.values[i] + high)} />
              )))}
            </g>
            <XAxis scale={across} y={tall - BOTTOM} label={x.label} />
            {over?.({ across, up, width, height: tall })}
          </>
        );
      }}
    </Chart>
  );
}

/** From half a step before the first value to half a step after the last. */
function edges(values) {
  const half = (values[1] - values[0]) / 2;
  return [values[0] - half, values.at(-1) + half];
}

/** Neighbouring values of one level, joined. */
function runs(levels) {
  const found = [];
  levels.forEach((level, i) => {
    if (found.at(-1)?.level === level) found.at(-1).to = i;
    else found.push({ level, from: i, to: i });
  });
  return found;
}
