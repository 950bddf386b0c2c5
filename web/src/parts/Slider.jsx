// A native range input with its name and value.
import { useId } from "preact/hooks";
import { brief } from "./format.js";

/**
 * value, min, max, step  numbers
 * show    value => text
 * change  called with the new value
 * spoken  its name where the label alone says too little
 * level   name, slider and value in one line
 */
export function Slider({ label, spoken, value, min, max, step, show = brief, change, level = false }) {
  const id = useId();
  return (
    <div class={level ? "slider slider-level" : "slider"}>
      <label for={id}>{label}</label>
      <output for={id}>{show(value)}</output>
      <input id={id} type="range" min={min} max={max} step={step} value={value}
        aria-label={spoken} aria-valuetext={show(value)}
        onInput={(event) => change(event.currentTarget.valueAsNumber)} />
    </div>
  );
}
