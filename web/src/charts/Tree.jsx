// A binary tree from its root down: a digit on each branch, what is sent at its leaves.
import { scaleLinear } from "d3-scale";
import { Chart } from "../parts/Chart.jsx";

const TOP = 34;
const ROW = 66;
const BOTTOM = 48;

/** nodes: [{path, name, text, color, tip}]: path the digits from the root; a leaf has a name */
export function Tree({ name, label, description, nodes }) {
  const leaves = nodes.filter((n) => n.name).sort((a, b) => (a.path < b.path ? -1 : 1));
  const deepest = Math.max(...nodes.map((n) => n.path.length));
  const height = TOP + deepest * ROW + BOTTOM;
  const at = new Map(leaves.map((leaf, i) => [leaf.path, (i + 0.5) / leaves.length]));
  [...nodes]
    .sort((a, b) => b.path.length - a.path.length)
    .filter((n) => !at.has(n.path))
    .forEach((n) => {
      const below = ["0", "1"].map((digit) => at.get(n.path + digit)).filter((x) => x !== undefined);
      at.set(n.path, below.reduce((a, b) => a + b, 0) / below.length);
    });
  const place = (width) => {
    const x = scaleLinear([0, 1], [0, width]);
    return (path) => [x(at.get(path)), TOP + path.length * ROW];
  };
  const marks = (width) =>
    nodes.map((n) => {
      const [x, y] = place(width)(n.path);
      return { x, y, text: n.tip };
    });
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks}>
      {(width) => {
        const spot = place(width);
        return (
          <>
            {nodes.filter((n) => n.path).map((n) => {
              const [[x0, y0], [x1, y1]] = [spot(n.path.slice(0, -1)), spot(n.path)];
              const digit = n.path.at(-1);
              return (
                <g key={n.path}>
                  <line class="stroke-rest" x1={x0} y1={y0} x2={x1} y2={y1} />
                  <text x={(x0 + x1) / 2 + (digit === "0" ? -10 : 10)} y={(y0 + y1) / 2} text-anchor="middle">
                    {digit}
                  </text>
                </g>
              );
            })}
            {nodes.map((n) => {
              const [x, y] = spot(n.path);
              return (
                <g key={n.path}>
                  <circle class={`fill-${n.color}`} cx={x} cy={y} r={n.name ? 7 : 4} />
                  <text class="strong halo" x={x} y={n.name ? y + 24 : y - 12} text-anchor="middle">
                    {n.name || n.text}
                  </text>
                  {n.name && <text x={x} y={y + 42} text-anchor="middle">{n.text}</text>}
                </g>
              );
            })}
          </>
        );
      }}
    </Chart>
  );
}
