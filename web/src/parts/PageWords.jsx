// What a page says beside its picture: what to notice, its text, and the same number in Python.
import { CodeLine } from "./CodeLine.jsx";

/** checks: codes of the doctor's checks that find the page's mistake;
 *  quiet: the notice changes too often to be read aloud; children: sections between the two */
export function PageWords({ notice, code, checks, quiet = false, children }) {
  return (
    <div class="page-words">
      <section>
        <h2>What to notice</h2>
        <p aria-live={quiet ? "off" : "polite"}>{notice}</p>
        {checks?.length > 0 && (
          <p class="note">
            The doctor finds this mistake as {checks.join(" and ")}:{" "}
            <code>plogq doctor --explain {checks[0]}</code> says more.
          </p>
        )}
      </section>
      {children}
      <section>
        <h2>The same in Python</h2>
        <CodeLine code={code} />
      </section>
    </div>
  );
}
