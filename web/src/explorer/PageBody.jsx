// A page: its picture, controls, numbers, formula, notice and code.
import { Controls } from "../parts/Controls.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { PageWords } from "../parts/PageWords.jsx";
import { Sketch } from "../parts/Sketch.jsx";
import { defaults } from "./state.js";

export function PageHead({ spec, kicker }) {
  return (
    <div class="page-head">
      <p class="kicker">{kicker}</p>
      <h1>{spec.title}</h1>
      <p class="lead">{spec.summary}</p>
    </div>
  );
}

/**
 * drawing  what a file of web/src/pages exports: {Picture, Text?, Extra?}, or {Whole} for a page
 *          that is built otherwise; each is given
 *          {state, result, error, set, controls, files, served}
 *          `turned(state, result)` names the controls to show, where that is not all of them
 * served   whether there is a server, which streams and takes files; in a notebook there is none
 */
export function PageBody({ drawing, spec, state, result, error, set, served = false }) {
  const given = { state, result, error, set, controls: spec.controls, files: spec.files, served };
  const { Picture, Text, Extra, Whole, turned } = drawing;
  const refusal = error && (
    <p class="refusal" role="alert">
      {error}{" "}
      <button class="button no-print" type="button" onClick={() => set(defaults(spec.controls))}>
        Begin anew
      </button>
    </p>
  );
  if (Whole) {
    return (
      <>
        {refusal}
        <Whole {...given} />
      </>
    );
  }
  return (
    <>
      {refusal}
      <div class="page-stage">
        <div class="page-picture" aria-busy={result === null && !error}>
          {result ? <Picture {...given} /> : !error && <Sketch />}
        </div>
        <div class="page-side">
          {result && <Readouts readouts={result.readouts} />}
          <Controls {...given} only={turned?.(state, result)} />
        </div>
        {result && (
          <PageWords notice={result.notice} code={result.code} checks={result.checks}>
            {Text && (
              <section>
                <Text {...given} />
              </section>
            )}
          </PageWords>
        )}
      </div>
      {result && Extra && <Extra {...given} />}
    </>
  );
}
