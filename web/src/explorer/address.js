// A page's state in its address. Browsers refuse an address that changes too often, so it is written when the state
// has come to rest; until then the tab's own storage has it, for a reload that comes sooner.
import { fromQuery, toQuery } from "./state.js";

const KEY = "plogq-state";

/** The state that a page begins with: what was noted and not written, else what the address says. */
export function recall(controls) {
  const noted = storage((tab) => {
    const address = tab.getItem(KEY);
    tab.removeItem(KEY);
    return address;
  });
  const [path, query] = noted?.split("?") ?? [];
  const [visit] = performance.getEntriesByType("navigation");
  const again = path === location.pathname && visit.type !== "navigate"; // a link means what it says
  return fromQuery(controls, again ? query : location.search);
}

export function note(controls, state) {
  storage((tab) => tab.setItem(KEY, `${location.pathname}?${toQuery(controls, state).slice(1)}`));
}

export function write(controls, state) {
  history.replaceState(null, "", location.pathname + toQuery(controls, state));
  storage((tab) => tab.removeItem(KEY));
}

function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null; // where a page may keep nothing, the address alone has its state
  }
}
