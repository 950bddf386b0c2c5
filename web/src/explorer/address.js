// A page's state in its address. Browsers refuse an address that changes too often, so it is written when the state
// has come to rest; until then the tab's own storage has it, for a reload or a way back that comes sooner.
import { fromQuery, toQuery } from "./state.js";

const key = () => `plogq${location.pathname}`;

/** The state that a page begins with: what was noted and not written, else what the address says. */
export function recall(controls) {
  const noted = storage((tab) => tab.getItem(key()));
  storage((tab) => tab.removeItem(key()));
  const [visit] = performance.getEntriesByType("navigation");
  const again = noted !== null && visit.type !== "navigate"; // a link means what it says
  return fromQuery(controls, again ? noted : location.search);
}

export function note(controls, state) {
  storage((tab) => tab.setItem(key(), toQuery(controls, state)));
}

export function write(controls, state) {
  history.replaceState(null, "", location.pathname + toQuery(controls, state));
  storage((tab) => tab.removeItem(key()));
}

function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null; // where a page may keep nothing, the address alone has its state
  }
}
