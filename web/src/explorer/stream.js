// Events that the server sends one after another, until it ends the stream or the page closes it.
import { toQuery } from "./state.js";

/**
 * Open a page's stream at a state, and give what closes it.
 * each   called with every event
 * ended  called once, at the end or with the sentence of what broke it; not after closing
 */
export function openStream(name, controls, state, { each, ended }) {
  const source = new EventSource(`/api/${name}${toQuery(controls, state)}`);
  const close = () => {
    source.close();
    removeEventListener("pagehide", close);
  };
  const end = (sentence) => {
    close();
    ended(sentence);
  };
  source.onmessage = (event) => each(JSON.parse(event.data));
  source.addEventListener("end", () => end(null));
  source.onerror = () => end("The server does not answer. Was it stopped?"); // else it would retry
  addEventListener("pagehide", close);
  return close;
}
