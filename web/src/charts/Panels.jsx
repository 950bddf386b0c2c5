// Several small line charts over one axis, in one picture: the first over the whole width.
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { brief, number } from "../parts/format.js";
import { fitText } from "../parts/measure.js";

const FIRST = 220; // px of the first panel's height, and of the others'
const REST = 170;
const TOP = 40;
const FOOT = 28;
const LEFT = 52;
const GAP = 28;
const RIGHT = 14;
const TWO = 520; // px from which two stand side by side

/**
 * panels  [{name, series, y: {domain, scale: "linear" | "log", ticks?, show?}}], with
 *         series [{name, points: [[x, y], …], color}]: points in the order of x
 * x       {label, domain}: below the last panels
 * read    whether points can be read off; while they run they cannot
 */
export function Panels({ name, label, description, panels, x, read = true }) {
  const layout = (width) => {
    const columns = width >= TWO ? 2 : 1;
    const half = (width - (columns - 1) * GAP) / columns;
    return panels.map((panel, i) => {
      const [row, column] = [Math.floor((i - 1) / columns), (i - 1) % columns];
      const box = i === 0
        ? { left: 0, wide: width, top: 0, tall: FIRST }
        : { left: column * (half + GAP), wide: half, top: FIRST + row * REST, tall: REST };
      const { domain, scale } = panel.y;
      return {
        ...panel,
        ...box,
        last: i >= panels.length - columns || i === 0,
        across: scaleLinear(x.domain, [box.left + LEFT, box.left + box.wide - RIGHT]),
        up: (scale === "log" ? scaleLog() : scaleLinear())
          .domain(domain).range([box.top + box.tall - FOOT, box.top + TOP]),
      };
    });
  };
  const height = (width) => {
    const last = layout(width).at(-1);
    return last.top + last.tall + FOOT;
  };
  const shown = ({ up }, [, value]) => Number.isFinite(value) && Number.isFinite(up(value));
  const marks = (width) =>
    layout(width).flatMap((panel) =>
      panel.series.flatMap((s) =>
        s.points.filter((p) => shown(panel, p)).map(([a, b]) => ({
          x: panel.across(a),
          y: panel.up(b),
          text: [panel.name, `${s.name}: ${(panel.y.show ?? number)(b)}`, `${x.label} ${brief(a)}`],
        })),
      ),
    );
  return (
    <Chart name={name} label={label} description={description} height={height}
      marks={read ? marks : undefined}>
      {(width) => layout(width).map((panel) => {
        const { across, up } = panel;
        const [foot, roof] = up.range();
        const path = line((p) => across(p[0]), (p) => up(p[1])).defined((p) => shown(panel, p));
        return (
          <g key={panel.name}>
            <text class="strong" x={panel.left} y={panel.top + 14}>{fitText(panel.name, panel.wide, 600)}</text>
            <YAxis scale={up} x={panel.left + LEFT} across={across.range()[1]} label=""
              ticks={panel.y.ticks} format={panel.y.show} />
            <XAxis scale={across} y={foot} label={panel.last && panel.top > 0 ? x.label : ""}
              ticks={panel.wide < 420 ? across.ticks(3) : undefined} />
            {panel.series.map((s) => (
              <path key={s.name} class={`stroke-${s.color}${panel.thin ? " thin" : ""}`} d={path(s.points)} />
            ))}
            {panel.series.filter((s) => s.points.length === 1 && shown(panel, s.points[0])).map((s) => (
              <circle key={s.name} class={`fill-${s.color}`} cx={across(s.points[0][0])} cy={up(s.points[0][1])} r="4.5" />
            ))}
          </g>
        );
      })}
    </Chart>
  );
}
