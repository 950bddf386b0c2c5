// The frame of every chart: its real width, its description, its readout by pointer, touch and
// arrow keys, and its export.
import { createContext } from "preact";
import { useContext, useId, useRef, useState } from "preact/hooks";
import { download, toPng, toSvg } from "./download.js";
import { useWidth } from "./measure.js";

/** Charts inside this context are small pictures without text and tools. */
export const Small = createContext(false);
const SMALL = 150; // px

/**
 * name         of the exported file
 * label        what the chart is, in a few words
 * description  what it shows, for those who do not see it
 * height       in px, or a function of the width
 * marks        (width, height) => [{x, y, text: [line, …]}]: what can be read off, in reading order
 * by           "x", "y" or "xy": along what the nearest mark is looked for
 * children     (width, height) => SVG elements
 */
export function Chart({ name, label, description, height, marks, by = "xy", children }) {
  const [box, width] = useWidth();
  const svg = useRef(null);
  const [at, setAt] = useState(-1);
  const id = useId();
  const small = useContext(Small);
  const tall = typeof height === "function" ? height(width) : height;
  const points = marks && width ? marks(width, tall) : [];
  const here = points[at];

  const point = (event) => {
    const edge = svg.current.getBoundingClientRect();
    setAt(nearest(points, event.clientX - edge.left, event.clientY - edge.top, by));
  };
  const step = (event) => {
    const move = STEPS[event.key];
    if (move === undefined || points.length === 0) return;
    event.preventDefault();
    setAt(move(at, points.length));
  };
  const reading = points.length > 0 && {
    tabIndex: 0,
    role: "group",
    "aria-label": `${label}: arrow keys read its points`,
    onKeyDown: step,
    onPointerMove: point,
    onPointerDown: point,
    onPointerLeave: () => setAt(-1),
    onBlur: () => setAt(-1),
  };

  if (small) {
    const wide = width * Math.max(1, tall / SMALL);
    return (
      <div class="chart chart-small" ref={box}>
        {width > 0 && (
          <svg width={width} height={Math.min(SMALL, tall)} viewBox={`0 0 ${wide} ${tall}`}>
            {children(wide, tall)}
          </svg>
        )}
      </div>
    );
  }
  return (
    <div class="chart" ref={box}>
      <div class="chart-plot" {...reading}>
        {width > 0 && (
          <svg
            ref={svg}
            role="img"
            aria-label={label}
            aria-describedby={id}
            width={width}
            height={tall}
            viewBox={`0 0 ${width} ${tall}`}
          >
            {children(width, tall)}
            {here && <circle class="chart-here" cx={here.x} cy={here.y} r="6" />}
          </svg>
        )}
      </div>
      <p class="hidden" id={id}>
        {description}
      </p>
      <div class="hidden" aria-live="polite">
        {here && here.text.join(", ")}
      </div>
      {here && <Tip mark={here} width={width} />}
      <div class="figure-tools no-print">
        <button
          class="button"
          type="button"
          aria-label={`Save as SVG: ${label}`}
          onClick={() => download(`${name}.svg`, toSvg(svg.current), "image/svg+xml")}
        >
          SVG
        </button>
        <button
          class="button"
          type="button"
          aria-label={`Save as PNG: ${label}`}
          onClick={async () => download(`${name}.png`, await toPng(svg.current))}
        >
          PNG
        </button>
      </div>
    </div>
  );
}

function Tip({ mark, width }) {
  const left = mark.x < width / 2;
  const style = { top: `${mark.y + 10}px` };
  if (left) style.left = `${Math.max(0, mark.x + 8)}px`;
  else style.right = `${Math.max(0, width - mark.x + 8)}px`;
  return (
    <div class="chart-tip" style={style} aria-hidden="true">
      {mark.text.map((line, i) => (
        <span key={i}>
          <bdi>{line}</bdi>
        </span>
      ))}
    </div>
  );
}

const STEPS = {
  ArrowRight: (i, n) => Math.min(i + 1, n - 1),
  ArrowDown: (i, n) => Math.min(i + 1, n - 1),
  ArrowLeft: (i) => Math.max(i - 1, 0),
  ArrowUp: (i) => Math.max(i - 1, 0),
  Home: () => 0,
  End: (i, n) => n - 1,
  Escape: () => -1,
};

function nearest(points, x, y, by) {
  let [found, least] = [-1, Infinity];
  points.forEach((point, i) => {
    const far = (by === "y" ? 0 : (point.x - x) ** 2) + (by === "x" ? 0 : (point.y - y) ** 2);
    if (far < least) [found, least] = [i, far];
  });
  return found;
}
