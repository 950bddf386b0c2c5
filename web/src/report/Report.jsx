// The whole report. A section is there when the result says something about it: `findings` has its
// words (plogq.reports.findings), `result` its numbers.
import { ThemeToggle } from "../parts/ThemeToggle.jsx";
import { ClassBits, ConfusionBits } from "./classes.jsx";
import { Calibration, Recalibration, TemperatureCurve } from "./calibration.jsx";
import { AllFigures, Code, Ending, OtherMeasures } from "./figures.jsx";
import { Loss } from "./loss.jsx";
import { PointwiseHistogram, Slices, SurprisalHistogram, Surprises } from "./rows.jsx";

const SECTIONS = [
  ["loss", "The loss", Loss],
  ["temperature", "Temperature", TemperatureCurve],
  ["reliability", "Reliability", Calibration],
  ["recalibration", "Recalibration", Recalibration],
  ["classes", "Classes", ClassBits],
  ["confusion", "Confusion", ConfusionBits],
  ["surprisal", "Surprisal", SurprisalHistogram],
  ["pointwise", "Information", PointwiseHistogram],
  ["surprises", "Surprises", Surprises],
  ["slices", "Slices", Slices],
  ["code", "Code", Code],
  ["figures", "All figures", AllFigures],
  ["measures", "Other measures", OtherMeasures],
];

/** result: the JSON of a score; findings: {headline, units, section: {title, text, advice, …}} */
export function Report(given) {
  return (
    <Frame command="score" first="loss">
      <ReportBody {...given} />
    </Frame>
  );
}

/** A page of its own: the command whose report it is, and the way past the head to the first section. */
export function Frame({ command, first, children }) {
  return (
    <div class="report">
      <a class="skip" href={`#${first}`}>
        Skip to the pictures
      </a>
      <header class="report-top">
        <span>
          <b>plogq</b> {command}
        </span>
        <ThemeToggle />
      </header>
      <main>{children}</main>
    </div>
  );
}

/** The report inside a page that has its own head; level: of its heading; contents: link to its sections. */
export function ReportBody({ result, findings, level = "h1", contents = true }) {
  const { units, headline } = findings;
  const sections = SECTIONS.filter(([key]) => findings[key] && findings[key].length !== 0);
  return (
    <>
      <Head headline={headline} level={level} />
      {contents && <Contents sections={sections} />}
      {sections.map(([key, , Section]) => (
        <Section key={key} id={key} result={result} words={findings[key]} units={units} />
      ))}
      <Ending result={result} command="score" />
    </>
  );
}

/** The first screen: how good, against what, what to do, how sure; headline: {title, read, answers, warnings} */
export function Head({ headline, level: Heading = "h1" }) {
  return (
    <div class="report-head">
      <Heading>{headline.title}</Heading>
      <dl class="answers">
        {headline.answers.map(({ question, text }) => (
          <div key={question}>
            <dt>{question}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <Warnings warnings={headline.warnings} />
      <p class="report-about">{headline.read}</p>
    </div>
  );
}

/** Links to the sections: [[key, name], …] */
export function Contents({ sections }) {
  return (
    <nav aria-label="Sections" class="no-print">
      <ul class="contents">
        {sections.map(([key, name]) => (
          <li key={key}>
            <a href={`#${key}`}>{name}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Warnings({ warnings }) {
  if (warnings.length === 0) return null;
  return (
    <ul class="warnings" aria-label="Warnings">
      {warnings.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}
