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
};

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
    if (String(state[name]) !== String(control.default)) query.set(name, String(state[name]));
  }
  const text = query.toString().replaceAll("%2C", ",");
  return text && `?${text}`;
}

/**
 * Give {state, result, error, set(changes)} of a page.
 * ask     state => Promise of the page's figures
 * begin   the state to begin with
 * keep    called with the state when it has come to rest
 */
export function usePage({ ask, begin, keep }) {
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
    send(now.current);
  }, []);
  useEffect(() => {
    send(now.current); // a page may have changed the state before this effect runs
  }, []);
  useEffect(() => {
    if (!keep) return undefined;
    const timer = setTimeout(() => keep(state), 250);
    return () => clearTimeout(timer);
  }, [state]);
  return { state, ...answer, set };
}
