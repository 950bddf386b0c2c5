// Errata: the published figures against the right ones, then each error and why it is one.
import { useContext } from "preact/hooks";
import { Bars } from "../charts/Bars.jsx";
import { Small } from "../parts/Chart.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { PageWords } from "../parts/PageWords.jsx";
import { Awaited } from "../parts/Sketch.jsx";

function Picture({ result: { habits } }) {
  const small = useContext(Small);
  const bars = habits.flatMap(({ title, errata }) => {
    const figures = errata.filter((e) => e.share !== null).map(bar);
    return small || figures.length === 0 ? figures : [{ heading: title }, ...figures];
  });
  return (
    <>
      {!small && <h2>What is published, as a share of what is right</h2>}
      <Bars name="errata" label="Published figures as a share of the right ones" bars={bars} show={() => ""}
        description={bars.map((b) => b.heading ?? `${b.name}: ${b.note}`).join("; ")} />
    </>
  );
}

function bar({ name, share, percent, what, said, right }) {
  return {
    name,
    value: share,
    color: "waste",
    note: percent,
    text: [what, `published: ${said}`, `right: ${right}`],
  };
}

function Whole({ result, error }) {
  if (!result) return <Awaited error={error} />;
  return (
    <div class="page-stage">
      <div class="page-picture">
        <Picture result={result} />
      </div>
      <div class="page-side">
        <Readouts readouts={result.readouts} />
      </div>
      <PageWords notice={result.notice} code={result.code}>
        {result.habits.map(({ title, errata }) => (
          <section key={title} class="errata">
            <h2 class="habit">{title}</h2>
            {errata.map((e) => (
              <section key={e.name}>
                <h3>{e.what}</h3>
                <p class="erratum">
                  <del>{e.said}</del> <ins>{e.right}</ins>
                </p>
                <p>{e.why}</p>
                <CodeLine code={e.code} />
              </section>
            ))}
          </section>
        ))}
      </PageWords>
    </div>
  );
}

export default { Picture, Whole };
