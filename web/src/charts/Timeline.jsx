// Names at their years, one below the other, the earliest first.
import { scaleLinear } from "d3-scale";
import { XAxis } from "../parts/Axis.jsx";
import { Chart } from "../parts/Chart.jsx";
import { textWidth } from "../parts/measure.js";

const ROW = 30;
const BOTTOM = 30;
const EDGE = 22; // px, for half of a tick's text
const GAP = 14;

/** events: [{year, name, text: [line, …]}], by year */
export function Timeline({ name, label, description, events, color }) {
  const across = (width) =>
    scaleLinear([events[0].year, events.at(-1).year], [EDGE, width - EDGE]);
  const row = (i) => i * ROW + ROW / 2;
  return (
    <Chart name={name} label={label} description={description} by="y"
      height={events.length * ROW + BOTTOM}
      marks={(width) =>
        events.map((event, i) => ({ x: across(width)(event.year), y: row(i), text: event.text }))}>
      {(width, tall) => {
        const scale = across(width);
        return (
          <>
            <XAxis scale={scale} y={tall - BOTTOM} label="" format={String} grid={tall - BOTTOM} />
            {events.map((event, i) => {
              const x = scale(event.year);
              const words = `${event.year} ${event.name}`;
              const left = x + GAP + textWidth(words, 600) > width;
              return (
                <g key={event.year}>
                  <circle class={`fill-${color}`} cx={x} cy={row(i)} r="6" />
                  <text class="strong halo" x={left ? x - GAP : x + GAP} y={row(i)} dy="0.35em"
                    text-anchor={left ? "end" : "start"}>
                    {words}
                  </text>
                </g>
              );
            })}
          </>
        );
      }}
    </Chart>
  );
}
