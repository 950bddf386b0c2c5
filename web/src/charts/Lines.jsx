// Lines over a numeric axis, with marked points and shaded intervals.
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { useId } from "preact/hooks";
import { XAxis, YAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { brief, number } from "../parts/format.js";
import { textWidth } from "../parts/measure.js";

const TOP = 34;
const BOTTOM = 46;
const LEFT = 52;
const RIGHT = 14;

/**
 * series  [{name, points: [[x, y], …], color, dashed}]; points that are not finite break the line
 * x, y    {label, scale: "linear" | "log", domain?, ticks?, show?}; y has format?, of its ticks
 * points  [{x, y, name, color}]: drawn as dots with their names
 * lines   [{x, name}]: upright lines
 * bands   [{from, to, name}]: intervals of x
 * over    ({across, up, width, height}) => SVG on top, placed by the scales (parts/Marks.jsx)
 *
 * What leaves the domain is cut off at its edge.
 */
export function Lines({
  name, label, description, series, x, y, points = [], lines = [], bands = [], over, height = 320,
}) {
  const clip = useId();
  const finite = series.flatMap((s) => s.points).filter((p) => p.every(Number.isFinite));
  const domains = {
    x: x.domain ?? extent(finite.map((p) => p[0])),
    y: y.domain ?? padded(extent(finite.map((p) => p[1]))),
  };
  const scales = (width, tall) => [
    scaleOf(x.scale, domains.x, [LEFT, width - RIGHT]),
    scaleOf(y.scale, domains.y, [tall - BOTTOM, TOP]),
  ];
  const show = { x: x.show ?? brief, y: y.show ?? number };
  const marks = (width, tall) => {
    const [across, up] = scales(width, tall);
    return series
      .flatMap((s) =>
        s.points
          .filter((p) => p.every(Number.isFinite))
          .map(([a, b]) => ({
            x: across(a),
            y: up(b),
            text: [...(series.length > 1 ? [s.name] : []), `${x.label} ${show.x(a)}`,
              `${y.label} ${show.y(b)}`],
          })),
      )
      .filter((mark) => mark.y >= TOP - 1 && mark.y <= tall - BOTTOM + 1);
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks}
      by={series.length > 1 ? "xy" : "x"}>
      {(width, tall) => {
        const [across, up] = scales(width, tall);
        const path = line(([a]) => across(a), ([, b]) => up(b)).defined((p) =>
          p.every(Number.isFinite),
        );
        return (
          <>
            {bands.map((band) => (
              <rect key={band.name} class="fill-gain faint" x={across(band.from)} y={TOP}
                width={Math.max(1, across(band.to) - across(band.from))}
                height={tall - TOP - BOTTOM} />
            ))}
            <YAxis scale={up} x={LEFT} across={width - RIGHT} label={y.label} ticks={y.ticks}
              format={y.format} />
            <XAxis scale={across} y={tall - BOTTOM} label={x.label} ticks={x.ticks} />
            {lines.map((upright) => (
              <line key={upright.name} class="stroke-rest thin dashed" x1={across(upright.x)}
                x2={across(upright.x)} y1={TOP} y2={tall - BOTTOM} />
            ))}
            <clipPath id={clip}>
              <rect x={LEFT - 3} y={TOP - 3} width={Math.max(0, width - LEFT - RIGHT) + 6}
                height={tall - TOP - BOTTOM + 6} />
            </clipPath>
            <g clip-path={`url(#${clip})`}>
              {series.map((s) => (
                <path key={s.name} class={`stroke-${s.color}${s.dashed ? " dashed" : ""}`}
                  d={path(s.points)} />
              ))}
            </g>
            {points.map((point) => (
              <Dot key={point.name} {...point} x={across(point.x)} y={up(point.y)} width={width}
                others={points.map((other) => across(other.x))} />
            ))}
            {over?.({ across, up, width, height: tall })}
          </>
        );
      }}
    </Chart>
  );
}

function Dot({ x, y, name, color, width, others }) {
  const room = others.reduce((least, other) => (other > x ? Math.min(least, other - 10) : least), width);
  const left = x + textWidth(name, 600) + 14 > room;
  return (
    <g>
      <circle class={`fill-${color}`} cx={x} cy={y} r="5.5" />
      <text class="strong halo" x={left ? x - 10 : x + 10} y={y - 10}
        text-anchor={left ? "end" : "start"}>
        {name}
      </text>
    </g>
  );
}

function scaleOf(kind, domain, range) {
  return (kind === "log" ? scaleLog() : scaleLinear()).domain(domain).range(range);
}

function extent(values) {
  return values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
}

function padded([low, high]) {
  const more = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - more, high + more];
}
