// All pages as small live pictures, in reading order.
import { useEffect, useState } from "preact/hooks";
import { Small } from "../parts/Chart.jsx";
import { Sketch } from "../parts/Sketch.jsx";
import { pages } from "../pages/index.js";
import { askServer } from "./ask.js";
import { defaults } from "./state.js";

export function Start({ specs, missing }) {
  return (
    <>
      <div class="start-head">
        <h1>One number trains almost every model. Touch it.</h1>
        <p class="lead">
          From the surprise of a single coin to the gradient of a network, in a chain of small steps. Every number
          on these pages comes from the Python package <b>plogq</b>, while you move the controls.
        </p>
        {missing && (
          <p class="refusal" role="alert">
            There is no page “{missing}”. These are the pages:
          </p>
        )}
      </div>
      <ol class="cards">
        {Object.entries(specs).map(([name, spec], i) => (
          <li key={name}>
            <a class="card" href={`/${name}`}>
              <Picture drawing={pages[name]} spec={spec} name={name} />
              <span class="card-words">
                <span class="kicker">{i + 1}</span>
                <b>{spec.title}</b>
                <span>{spec.summary}</span>
              </span>
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The page's own picture, drawn small; it takes no input. */
function Picture({ name, drawing, spec }) {
  const [result, setResult] = useState(null);
  useEffect(() => {
    askServer(name, {}).then(setResult, () => {}); // without an answer the card keeps its sketch, and is still a link
  }, []);
  const given = { state: defaults(spec.controls), result, controls: spec.controls, set: () => {} };
  return (
    <span class="card-picture" aria-hidden="true" inert>
      <Small.Provider value={true}>
        {result ? <drawing.Picture {...given} /> : <Sketch />}
      </Small.Provider>
    </span>
  );
}
