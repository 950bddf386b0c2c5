// A square field of cells, stronger the more they hold, one of them framed.
import { Chart } from "../parts/Chart.jsx";
import { percent } from "../parts/format.js";

const LARGEST = 34; // px of a cell

/** cells: [[share, …], …], rows from the top; chosen: [row, column]; what: what the shares are of */
export function Cells({ name, label, description, cells, chosen, what }) {
  const most = Math.max(...cells.flat()) || 1;
  const sizeOf = (width) => Math.min(LARGEST, (width - 4) / cells.length);
  const places = cells.flatMap((row, i) => row.map((share, j) => ({ i, j, share })));
  return (
    <Chart name={name} label={label} description={description}
      height={(width) => sizeOf(width) * cells.length + 4}
      marks={(width) => {
        const size = sizeOf(width);
        return places.map(({ i, j, share }) => ({
          x: 2 + (j + 0.5) * size, y: 2 + (i + 0.5) * size,
          text: [`row ${i + 1}, column ${j + 1}`, `${percent(share)} ${what}`],
        }));
      }}>
      {(width) => {
        const size = sizeOf(width);
        const cell = (i, j) => ({ x: 2.5 + j * size, y: 2.5 + i * size, width: size - 1, height: size - 1 });
        return (
          <>
            <rect class="fill-raised" x="2" y="2" width={size * cells.length} height={size * cells.length} />
            {places.map(({ i, j, share }) => (
              <rect key={`${i}/${j}`} class="fill-gain" opacity={share / most} {...cell(i, j)} />
            ))}
            <rect class="stroke-ink" rx="2" {...cell(...chosen)} />
          </>
        );
      }}
    </Chart>
  );
}
