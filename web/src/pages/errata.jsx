// Errata: each published figure against the right one, then one by one why it is wrong.
import { useContext } from "preact/hooks";
import { Bars } from "../charts/Bars.jsx";
import { Small } from "../parts/Chart.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { PageWords } from "../parts/PageWords.jsx";

function Picture({ result: { errata } }) {
  const small = useContext(Small);
  const bars = errata.map((e) => ({
    name: e.name,
    value: e.share,
    color: "waste",
    note: e.percent,
    text: [e.what, `published: ${e.said}`, `right: ${e.right.text} ${e.unit}`],
  }));
  return (
    <>
      {!small && <h2>What is published, as a share of what is right</h2>}
      <Bars name="errata" label="Published figures as a share of the right ones" bars={bars} show={() => ""}
        description={errata.map((e) => `${e.name}: ${e.percent}`).join("; ")} />
    </>
  );
}

function Whole({ result, error }) {
  if (!result) return <div class="page-picture" aria-busy={!error} />;
  return (
    <div class="page-stage">
      <div class="page-picture">
        <Picture result={result} />
      </div>
      <div class="page-side">
        <Readouts readouts={result.readouts} />
      </div>
      <PageWords notice={result.notice} code={result.code}>
        {result.errata.map((e) => (
          <section key={e.name}>
            <h2>{e.what}</h2>
            <p class="erratum">
              <del>{e.said}</del>{" "}
              <ins>
                {e.right.text} {e.unit}
              </ins>
            </p>
            <p>{e.why}</p>
            <CodeLine code={e.code} />
          </section>
        ))}
      </PageWords>
    </div>
  );
}

export default { Picture, Whole };
