// A page's state in its address. Browsers refuse an address that changes too often, so it is written when the state
// has come to rest; the tab's own storage has it at once, for a reload or a way back that comes sooner. There each
// entry of the tab's history has its own place: a link, which begins an entry, means what it says.
import { fromQuery, toQuery } from "./state.js";

let leaving = false; // an address that is written while the page is being left takes the entry's place from it
addEventListener("beforeunload", () => {
  leaving = true;
});

/** The state that a page begins with: what was noted of this entry of the history, else what the address says. */
export function recall(controls) {
  history.state ?? history.replaceState(`plogq${performance.timeOrigin}`, "");
  return fromQuery(controls, storage((tab) => tab.getItem(history.state)) ?? location.search);
}

export function note(controls, state) {
  leaving = false;
  storage((tab) => tab.setItem(history.state, toQuery(controls, state)));
}

export function write(controls, state) {
  if (leaving) return;
  history.replaceState(history.state, "", location.pathname + toQuery(controls, state));
}

function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null; // where a page may keep nothing, the address alone has its state
  }
}
