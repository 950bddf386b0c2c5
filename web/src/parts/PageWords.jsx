// What a page says beside its picture: what to notice, its text, and the same number in Python.
import { CodeLine } from "./CodeLine.jsx";

/** quiet: the notice changes too often to be read aloud; children: sections between the two */
export function PageWords({ notice, code, quiet = false, children }) {
  return (
    <div class="page-words">
      <section>
        <h2>What to notice</h2>
        <p aria-live={quiet ? "off" : "polite"}>{notice}</p>
      </section>
      {children}
      <section>
        <h2>The same in Python</h2>
        <CodeLine code={code} />
      </section>
    </div>
  );
}
