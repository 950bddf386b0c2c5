// What stands on top of curves: a point, the slope there, an arrow, a few words. `at` is in the
// units of the axes; `on` are their scales, as a chart's `over` is given them: {across, up}.
import { textWidth } from "./measure.js";

const HEAD = 6; // px

export function Point({ on, at: [x, y], color }) {
  const place = { cx: on.across(x), cy: on.up(y) };
  return (
    <g>
      <circle class="fill-paper" {...place} r="7.5" />
      <circle class={`fill-${color}`} {...place} r="6" />
    </g>
  );
}

/** A straight line between two points: a slope, a gap. */
export function Stroke({ on, ends: [from, to], color, dashed }) {
  return (
    <line class={`stroke-${color}${dashed ? " dashed" : ""}`} x1={on.across(from[0])} x2={on.across(to[0])}
      y1={on.up(from[1])} y2={on.up(to[1])} />
  );
}

/** An arrow between two points; its head is most of it where it is short. */
export function Arrow({ on, ends: [from, to], color }) {
  const [x0, y0, x1, y1] = [on.across(from[0]), on.up(from[1]), on.across(to[0]), on.up(to[1])];
  const long = Math.hypot(x1 - x0, y1 - y0);
  if (long === 0) return null;
  const [dx, dy] = [(x1 - x0) / long, (y1 - y0) / long];
  const head = Math.min(1.7 * HEAD, 0.6 * long);
  const [bx, by] = [x1 - dx * head, y1 - dy * head];
  const half = head / 1.7;
  return (
    <g>
      <line class={`stroke-${color}`} x1={x0} y1={y0} x2={bx} y2={by} />
      <path class={`fill-${color}`}
        d={`M${x1},${y1}L${bx - dy * half},${by + dx * half}L${bx + dy * half},${by - dx * half}Z`} />
    </g>
  );
}

/**
 * Words beside a point: to its right, to its left with `left`, above or below it with `middle`;
 * dx, dy in px. They stay inside the picture.
 */
export function Words({ on, at: [x, y], left = false, middle = false, dx = 10, dy = 4, children }) {
  const [from, to] = on.across.range();
  const wide = textWidth([children].flat().join(""), 600);
  const begin = on.across(x) + (middle ? -wide / 2 : left ? -dx - wide : dx);
  return (
    <text class="strong halo" x={Math.max(from, Math.min(begin, to - wide))} y={on.up(y) + dy}>
      {children}
    </text>
  );
}

/** Whether words fit to the left of x. */
export function fitsLeft(on, x, text, dx = 10) {
  return on.across(x) - on.across.range()[0] > textWidth(text, 600) + 2 * dx;
}
