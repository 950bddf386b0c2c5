// A native range input with its name and value.
import { useId } from "preact/hooks";
import { brief } from "./format.js";

/** value, min, max, step: numbers; show: value => text; change: called with the new value. */
export function Slider({ label, value, min, max, step, show = brief, change }) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{show(value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={show(value)}
        onInput={(event) => change(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
