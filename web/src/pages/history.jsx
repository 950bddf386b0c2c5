// History: the works by year, then one by one what each brought, its source and its number.
import { Timeline } from "../charts/Timeline.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { PageWords } from "../parts/PageWords.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { Awaited } from "../parts/Sketch.jsx";

function Picture({ result: { entries } }) {
  return (
    <Timeline name="history" label="The works by year" color="gain"
      description={entries.map((e) => `${e.year}: ${e.name}`).join("; ")}
      events={entries.map((e) => ({
        year: e.year,
        name: e.name,
        text: [`${e.year}, ${e.name}`, e.what, `${e.figure.text} ${e.unit}`],
      }))} />
  );
}

function Whole({ result, error, served }) {
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
        {result.entries.map((e) => (
          <section key={e.year}>
            <h2>{`${e.year}, ${e.name}`}</h2>
            <p>{e.said}</p>
            <p>
              {e.what}: <b>{e.figure.text}</b> {e.unit}
            </p>
            <CodeLine code={e.code} />
            <p class="note">
              {e.authors}, <cite>{e.title}</cite>, {e.where}, {e.year}.
              {served && (
                <>
                  {" "}
                  <a href={`/${e.page}`}>The page about it</a>
                </>
              )}
            </p>
          </section>
        ))}
      </PageWords>
    </div>
  );
}

export default { Picture, Whole };
