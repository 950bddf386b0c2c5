// The controls of a page, drawn from the bounds that Python gives (plogq.explorer.controls).
import { useId } from "preact/hooks";
import { shorten } from "./format.js";
import { Slider } from "./Slider.jsx";

const KINDS = { number: One, whole: One, choice: Choice, numbers: Many, shares: Many, words: Words, names: Names };

/**
 * controls  {name: {kind, label, default, low, high, …}}
 * state     {name: value}; set({name: value}) changes it
 * result    its `state` is how Python read it: shares that sum to 1
 * only      names of those to draw, in order; by default all
 */
export function Controls({ controls, state, set, result, only = Object.keys(controls) }) {
  const names = Object.keys(controls);
  const reset = () => set(Object.fromEntries(names.map((name) => [name, controls[name].default])));
  const moved = names.some((name) => String(state[name]) !== String(controls[name].default));
  const change = (name, value) => {
    const along = (controls[name].along ?? []).map((other) => [
      other, resized(state[other], value.length, controls[other]),
    ]);
    set({ ...Object.fromEntries(along), [name]: value });
  };
  return (
    <form class="controls" onSubmit={(event) => event.preventDefault()}>
      {only.map((name) => {
        const Kind = KINDS[controls[name].kind];
        return (
          <Kind key={name} name={name} control={controls[name]} value={state[name]} state={state}
            read={result?.state?.[name]} names={(result?.state ?? state)[controls[name].named] ?? controls[name].names}
            change={(value) => change(name, value)} />
        );
      })}
      <button class="button no-print" type="button" disabled={!moved} onClick={reset}>
        Back to the defaults
      </button>
    </form>
  );
}

function One({ control, value, state, names, change }) {
  const { label, low, high, step = 1, within } = control;
  const most = within ? Math.min(high, state[within].length - 1) : high;
  return (
    <Slider label={label} value={Math.min(value, most)} min={low} max={most} step={step}
      show={names && ((i) => names[i])} change={change} />
  );
}

export function Choice({ name, control, value, change }) {
  const id = useId();
  return (
    <fieldset class="choice">
      <legend>{control.label}</legend>
      <div class="choice-options">
        {Object.entries(control.options).map(([key, text]) => (
          <label key={key}>
            <input type="radio" name={`${id}-${name}`} checked={value === key} onChange={() => change(key)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A list cut or filled up to a length. */
function resized(list, length, { kind, step, low, high }) {
  const next = kind === "shares" ? step : Math.min(high, Math.max(low, 0));
  const more = Array(Math.max(0, length - list.length)).fill(next);
  return [...list.slice(0, length), ...more];
}

function Many({ control, value, read, names, change }) {
  const { label, low, high, step, least, most } = control;
  const shown = (i) => shorten(read?.length === value.length ? read[i] : value[i]);
  const put = (i, x) => change(value.with(i, x));
  return (
    <fieldset class={named(names)}>
      <legend>{label}</legend>
      {value.map((x, i) => (
        <Slider key={i} label={names[i] ?? `${i}`} spoken={`${label}, ${names[i] ?? i}`} value={x} min={low}
          max={high} step={step} show={() => shown(i)} change={(next) => put(i, next)} level />
      ))}
      {least < most && (
        <div class="many-tools no-print">
          <button class="button" type="button" disabled={value.length <= least} aria-label={`${label}: one less`}
            onClick={() => change(value.slice(0, -1))}>
            −
          </button>
          <button class="button" type="button" disabled={value.length >= most} aria-label={`${label}: one more`}
            onClick={() => change(resized(value, value.length + 1, control))}>
            +
          </button>
        </div>
      )}
    </fieldset>
  );
}

/** Long names need more room. */
function named(names) {
  return names.some((name) => name.length > 2) ? "many many-named" : "many";
}

/** A text field for the name of each number that the list `within` has. */
function Names({ control, value, state, change }) {
  const { label, longest, within } = control;
  const all = control.default.map((_, i) => value[i] ?? "");
  return (
    <fieldset class="many names">
      <legend>{label}</legend>
      {all.slice(0, within ? state[within].length : all.length).map((name, i) => (
        <input key={i} class="field" type="text" value={name} maxLength={longest} spellcheck={false} autocomplete="off"
          placeholder={control.default[i]} aria-label={`${label}, ${i + 1}`}
          onInput={(event) => change(all.with(i, event.currentTarget.value))} />
      ))}
    </fieldset>
  );
}

function Words({ control, value, change }) {
  const { label, letters, longest, least, most, names } = control;
  const keep = (text) => [...text].filter((c) => letters.includes(c)).join("").slice(0, longest);
  return (
    <fieldset class={named(names)}>
      <legend>{label}</legend>
      {value.map((word, i) => (
        <div key={i} class="word">
          {names[i] && <span aria-hidden="true">{names[i]}</span>}
          <input class="field" type="text" value={word} maxLength={longest} spellcheck={false} autocomplete="off"
            aria-label={`${label}, ${names[i] ?? i + 1}`}
            onInput={(event) => change(value.with(i, keep(event.currentTarget.value)))} />
        </div>
      ))}
      {least < most && (
        <div class="many-tools no-print">
          <button class="button" type="button" disabled={value.length <= least} aria-label={`${label}: one less`}
            onClick={() => change(value.slice(0, -1))}>
            −
          </button>
          <button class="button" type="button" disabled={value.length >= most} aria-label={`${label}: one more`}
            onClick={() => change([...value, ""])}>
            +
          </button>
        </div>
      )}
    </fieldset>
  );
}
