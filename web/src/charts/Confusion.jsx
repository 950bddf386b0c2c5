// What each label costs by what was predicted instead, as a field of cells.
import { scaleSqrt } from "d3-scale";
import { Chart } from "../parts/Chart.jsx";
import { count, number, toNumber } from "../parts/format.js";
import { fitText, textWidth } from "../parts/measure.js";

const HEAD = 30;
const LARGEST = 44; // px of a cell

/**
 * cells    [{label, predicted, rows, cost}] of the classes shown
 * classes  their names, in order
 * units     of the costs
 */
export function Confusion({ name, label, description, cells, classes, units }) {
  const most = Math.max(0, ...cells.map((c) => toNumber(c.cost)).filter(Number.isFinite)) || 1;
  const strength = scaleSqrt([0, most], [0.06, 1]).clamp(true);
  const place = new Map(classes.map((item, i) => [item, i]));
  const layout = (width) => {
    const widest = Math.max(0, ...classes.map((item) => textWidth(item.slice(0, 100))));
    const names = Math.max(Math.min(widest + 4, width * 0.28), textWidth("label ↓")) + 8;
    const size = Math.min(LARGEST, (width - names - 4) / classes.length);
    const level = size < 22 || classes.some((item) => textWidth(item.slice(0, 100)) > size);
    const head = level ? Math.min(widest, 96) + HEAD : HEAD + 14;
    return { names, size, level, head };
  };
  const text = (cell) => [
    `label ${cell.label}`,
    `predicted ${cell.predicted}`,
    `${count(cell.rows)} rows, ${number(cell.cost)} ${units} per row of the table`,
  ];
  const height = (width) => {
    const { size, head } = layout(width);
    return head + size * classes.length + 6;
  };
  return (
    <Chart name={name} label={label} description={description} height={height}
      marks={(width) => {
        const { names, size, head } = layout(width);
        return cells.map((cell) => ({
          x: names + (place.get(cell.predicted) + 0.5) * size,
          y: head + (place.get(cell.label) + 0.5) * size,
          text: text(cell),
        }));
      }}>
      {(width) => {
        const { names, size, level, head } = layout(width);
        const every = Math.ceil(15 / size); // names that would touch are left out
        return (
          <>
            <text x={names} y="12">
              predicted →
            </text>
            <text x={names - 8} y={head - 8} text-anchor="end">
              label ↓
            </text>
            {classes.map((item, i) => i % every === 0 && (
              <g key={item}>
                <text x={names - 8} y={head + (i + 0.5) * size} dy="0.35em" text-anchor="end">
                  {fitText(item, names - 8)}
                </text>
                {level ? (
                  <text dy="0.35em"
                    transform={`translate(${names + (i + 0.5) * size},${head - 8}) rotate(-90)`}>
                    {fitText(item, head - HEAD)}
                  </text>
                ) : (
                  <text x={names + (i + 0.5) * size} y={head - 8} text-anchor="middle">
                    {item}
                  </text>
                )}
              </g>
            ))}
            {classes.map((item, i) => (
              <rect key={item} class="fill-raised" x={names} y={head + i * size + 0.5}
                width={size * classes.length} height={Math.max(0.5, size - 1)} />
            ))}
            {cells.map((cell) => (
              <rect key={`${place.get(cell.label)}/${place.get(cell.predicted)}`}
                class={cell.label === cell.predicted ? "fill-keep" : "fill-waste"}
                opacity={strength(toNumber(cell.cost))}
                x={names + place.get(cell.predicted) * size + 0.5}
                y={head + place.get(cell.label) * size + 0.5}
                width={Math.max(0.5, size - 1)} height={Math.max(0.5, size - 1)} />
            ))}
          </>
        );
      }}
    </Chart>
  );
}
