// A page's state: what differs from the defaults is in the URL, and each change is sent to Python.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { latest } from "./ask.js";

const READ = {
  number: Number,
  whole: Number,
  choice: String,
  numbers: (text) => text.split(",").map(Number),
  shares: (text) => text.split(",").map(Number),
  words: (text) => text.split(","),
  names: (text) => text.split(",").map((name) => name.replaceAll(/%2C|%25/g, decodeURIComponent)),
};
const COMMA = /[%,]/g; // commas of a name's own, and what marks them

/** A control's value as an address says it. */
function written({ kind }, value) {
  return String(kind === "names" ? value.map((name) => name.replaceAll(COMMA, encodeURIComponent)) : value);
}

export function defaults(controls) {
  return Object.fromEntries(Object.entries(controls).map(([name, c]) => [name, c.default]));
}

/** Give the state of a query string; controls that it does not name have their defaults. */
export function fromQuery(controls, query) {
  const state = defaults(controls);
  for (const [name, text] of new URLSearchParams(query)) {
    if (Object.hasOwn(controls, name)) state[name] = READ[controls[name].kind](text);
  }
  return state;
}

export function toQuery(controls, state) {
  const query = new URLSearchParams();
  for (const [name, control] of Object.entries(controls)) {
    const text = written(control, state[name]);
    if (text !== written(control, control.default)) query.set(name, text);
  }
  const text = query.toString().replaceAll("%2C", ",");
  return text && `?${text}`;
}

/**
 * Give {state, result, error, set(changes)} of a page.
 * ask     state => Promise of the page's figures
 * begin   the state to begin with
 * note    called with every state at once, where given
 * keep    called with the state when it has come to rest
 */
export function usePage({ ask, begin, note, keep }) {
  const [state, setState] = useState(begin);
  const [answer, setAnswer] = useState({ result: null, error: null });
  const now = useRef(begin);
  const send = useMemo(
    () => latest(ask, (result, error) => setAnswer((old) => ({ result: result ?? old.result, error }))),
    [],
  );
  const set = useCallback((changes) => {
    now.current = { ...now.current, ...changes };
    setState(now.current);
    note?.(now.current);
    send(now.current);
  }, []);
  useEffect(() => {
    send(now.current); // a page may have changed the state before this effect runs
  }, []);
  useEffect(() => {
    if (!keep) return undefined;
    const timer = setTimeout(() => keep(now.current), 250); // what has changed since is not drawn yet, and counts
    return () => clearTimeout(timer);
  }, [state]);
  return { state, ...answer, set };
}
