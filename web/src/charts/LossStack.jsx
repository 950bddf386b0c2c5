// The loss as a stack on one axis: what stays, what is lost without need, what the model knows.
import { scaleLinear } from "d3-scale";
import { XAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { number } from "../parts/format.js";
import { fitText, textWidth } from "../parts/measure.js";

const BAR = 52;
const TOP = 30;
const AXIS = 46;
const ZOOM = 64; // px between the bar and its loss, drawn larger
const LARGE = 0.45; // a loss of more of the bar than this needs no drawing larger

/**
 * whole     what a label costs with no model
 * loss      what it costs with the model; Infinity where an impossible event happened
 * finite    the loss without such events
 * gain      what the model saves: whole − loss, as the result has it
 * parts     [{name, value, color}] that the finite loss is made of, from the axis on; may be empty
 * units     what several of the unit are called
 */
export function LossStack({
  name, label, description, whole, loss, finite, gain, parts, units,
}) {
  const shown = Number.isFinite(loss) ? loss : finite;
  const far = Math.max(whole, shown, ...(Number.isFinite(loss) ? [] : [shown * 1.15])) || 1;
  const zoom = parts.length > 0 && shown > 0 && shown < LARGE * far;
  const pieces = parts.length > 0 ? parts : [{ name: "cross-entropy", value: shown, color: "keep" }];
  const known = { name: "information gain", value: gain, color: "gain", from: loss, to: whole };
  const height = TOP + BAR + AXIS + (zoom ? ZOOM + BAR + AXIS : 0);
  const scales = (width) => [
    scaleLinear([0, far], [1, width - 1]),
    scaleLinear([0, shown || 1], [1, width - 1]),
  ];
  const marks = (width) => {
    const [scale, large] = scales(width);
    const at = (y, s) => (piece) => ({
      x: (s(piece.from) + s(piece.to)) / 2,
      y: y + BAR / 2,
      text: [piece.name, `${number(piece.value)} ${units} per row`],
    });
    const stack = stacked(pieces);
    return [
      ...stack.map(at(TOP, scale)),
      ...(gain > 0 ? [at(TOP, scale)(known)] : []),
      ...(zoom ? stack.map(at(TOP + BAR + AXIS + ZOOM, large)) : []),
    ];
  };
  return (
    <Chart name={name} label={label} description={description} height={height} marks={marks}>
      {(width) => {
        const [scale, large] = scales(width);
        const second = TOP + BAR + AXIS + ZOOM;
        return (
          <>
            <rect class="fill-raised" x={scale(0)} y={TOP} width={scale(whole) - scale(0)}
              height={BAR} />
            {gain > 0 && <Piece piece={known} scale={scale} y={TOP} />}
            {stacked(pieces).map((piece) => (
              <Piece key={piece.name} piece={piece} scale={scale} y={TOP} quiet={zoom} />
            ))}
            {!Number.isFinite(loss) && <Endless from={scale(shown)} to={width - 1} y={TOP} />}
            <Upright x={scale(whole)} y={TOP} width={width} name={`no model ${number(whole)}`} />
            {zoom && (
              <path class="fill-raised" d={`M${scale(0)},${TOP + BAR}H${scale(shown)}L${width - 1},${second}H1Z`} />
            )}
            <XAxis scale={scale} y={TOP + BAR + 6} label={`${units} per row`} />
            {zoom && (
              <>
                <text class="strong halo" x="8" y={second - 10}>
                  the loss, drawn larger
                </text>
                {stacked(pieces).map((piece) => (
                  <Piece key={piece.name} piece={piece} scale={large} y={second} />
                ))}
                <XAxis scale={large} y={second + BAR + 6} label={`${units} per row`} />
              </>
            )}
          </>
        );
      }}
    </Chart>
  );
}

function Piece({ piece, scale, y, quiet = false }) {
  const [from, to] = [scale(piece.from), scale(piece.to)];
  const room = to - from - 16;
  const value = number(piece.value);
  const long = `${piece.name} ${value}`;
  const text = textWidth(long, 600) <= room ? long : textWidth(value, 600) <= room ? value : "";
  return (
    <g>
      <rect class={`fill-${piece.color}`} x={from} y={y} width={Math.max(1, to - from - 1)}
        height={BAR} />
      {!quiet && (
        <text class="on-fill" x={from + 8} y={y + BAR / 2} dy="0.35em">
          {fitText(text, room, 600)}
        </text>
      )}
    </g>
  );
}

/** An infinite loss: the bar fades in steps towards the edge. */
function Endless({ from, to, y }) {
  const step = (to - from) / 6;
  return (
    <g>
      {[0, 1, 2, 3, 4].map((i) => (
        <rect key={i} class="fill-waste" opacity={1 - i * 0.2} x={from + i * step} y={y}
          width={Math.max(1, step - 3)} height={BAR} />
      ))}
      <text class="strong" x={to - 8} y={y + BAR / 2} dy="0.35em" text-anchor="end">
        ∞
      </text>
    </g>
  );
}

function Upright({ x, y, name, width }) {
  const room = width - x > textWidth(name, 600) + 8;
  return (
    <g>
      <line class="stroke-ink" x1={x} x2={x} y1={y - 8} y2={y + BAR} />
      <text class="strong halo" x={room ? x + 6 : x - 6} y={y - 12} text-anchor={room ? "start" : "end"}>
        {name}
      </text>
    </g>
  );
}

function stacked(pieces) {
  let end = 0;
  return pieces.map((piece) => {
    const from = end;
    end += Math.max(0, piece.value);
    return { ...piece, from, to: end };
  });
}
