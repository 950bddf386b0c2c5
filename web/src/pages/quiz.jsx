// Quiz: two sets of eight questions, each answered once; the answer is followed by its reasons.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { scalePoint } from "d3-scale";
import { Chart } from "../parts/Chart.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { Choice } from "../parts/Controls.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { Awaited } from "../parts/Sketch.jsx";

const TOP = 28;
const ROW = 30;
const SEEDS = 99_999;

/** The answer sheet: a column for each question, a row for each choice. */
function Picture({ result: { questions } }) {
  const letters = questions[0].choices.map(({ letter }) => letter);
  const layout = (width) => ({
    across: scalePoint(questions.map((_, i) => i), [28, width - 12]),
    down: scalePoint(letters, [TOP + ROW / 2, TOP + ROW * (letters.length - 0.5)]),
  });
  const said = questions.map((q, i) => `question ${i + 1}: ${outcome(q)}`);
  return (
    <Chart name="quiz" label="Answer sheet" description={said.join("; ")} height={TOP + ROW * letters.length}
      by="x"
      marks={(width) => {
        const { across, down } = layout(width);
        return questions.map((q, i) => ({
          x: across(i),
          y: down(q.answer || letters[0]),
          text: [`question ${i + 1}`, outcome(q)],
        }));
      }}>
      {(width) => {
        const { across, down } = layout(width);
        return (
          <g>
            {letters.map((letter) => (
              <text key={letter} x="0" y={down(letter)} dy="0.35em">{letter}</text>
            ))}
            {questions.map((q, i) => (
              <g key={i}>
                <text x={across(i)} y="14" text-anchor="middle">{i + 1}</text>
                {letters.map((letter) => (
                  <circle key={letter} class={mark(q, letter)} cx={across(i)} cy={down(letter)} r="9" />
                ))}
              </g>
            ))}
          </g>
        );
      }}
    </Chart>
  );
}

function mark({ answer, right }, letter) {
  if (answer && letter === answer) return answer === right ? "fill-gain" : "fill-waste";
  return answer && letter === right ? "stroke-gain" : "stroke-rest thin";
}

function outcome({ answer, right }) {
  if (!answer) return "not answered";
  return answer === right ? `${answer}, right` : `${answer}, wrong; right is ${right}`;
}

function Whole({ state, result, error, set, controls, served }) {
  const { about, seed } = state;
  const begin = (changes) => set({ ...changes, answers: controls.answers.default });
  const anew = () => begin({ seed: 1 + Math.floor(Math.random() * SEEDS) });
  const drawn = seed > 0;
  useEffect(() => {
    if (!drawn) anew(); // no numbers in the address: draw some
  }, [drawn]);
  if (!drawn || result?.state.seed !== seed) return <Awaited error={error} />;
  const asked = result.state.about; // until the other set has come, these questions stay
  return (
    <div class="page-stage">
      <ol class="quiz">
        {result.questions.map((question, i) => (
          <Question key={`${asked} ${seed} ${i}`} number={i + 1} question={question} served={served}
            answer={(letter) => asked === about && set({ answers: state.answers.with(i, letter) })} />
        ))}
      </ol>
      <div class="page-side">
        <div class="controls">
          <Choice name="about" control={controls.about} value={about} change={(next) => begin({ about: next })} />
        </div>
        <Picture result={result} />
        <Readouts readouts={result.readouts} />
        <p class={result.done ? "quiz-verdict" : "note"} role="status">{result.notice}</p>
        <button class={result.done ? "button button-main no-print" : "button no-print"} type="button" onClick={anew}>
          New numbers
        </button>
      </div>
      <div class="page-words">
        <section>
          <h2>The same in Python</h2>
          <CodeLine code={result.code} />
        </section>
      </div>
    </div>
  );
}

function Question({ number, question, answer, served }) {
  const { ask, unit, choices, right, page, code } = question;
  const [chosen, choose] = useState(null);
  const verdict = useRef(null);
  const id = useId();
  const answered = question.answer !== "";
  const was = useRef(answered);
  useLayoutEffect(() => {
    if (answered && !was.current) verdict.current.focus(); // the button that had the focus is gone
    was.current = answered;
  }, [answered]);
  const send = (event) => {
    event.preventDefault();
    if (chosen) answer(chosen);
  };
  return (
    <li>
      <form onSubmit={send}>
        <fieldset class="quiz-choices" disabled={answered}>
          <legend>
            <span class="kicker">Question {number}</span>
            <span class="quiz-ask">{ask}</span>
          </legend>
          {choices.map(({ letter, text }) => (
            <label key={letter} class={answered && letter === right ? "quiz-right" : ""}>
              <input type="radio" name={id} value={letter} onChange={() => choose(letter)}
                checked={letter === (answered ? question.answer : chosen)} />
              <span>
                <span class="kicker">{letter}</span> <Said text={text} unit={unit} /> {unit}
              </span>
            </label>
          ))}
        </fieldset>
        {!answered && (
          <button class="button button-main no-print" type="submit" disabled={!chosen}
            aria-label={`Answer question ${number}`}>
            Answer
          </button>
        )}
      </form>
      {answered && (
        <div class="quiz-why">
          <p ref={verdict} tabIndex={-1}>
            <Verdict question={question} />
          </p>
          <dl class={unit ? "quiz-numbers" : ""}>
            {choices.filter(({ letter }) => letter !== question.answer).map(({ letter, text, why }) => (
              <div key={letter}>
                <dt>
                  {letter} <Said text={text} unit={unit} />
                </dt>
                <dd>{why}</dd>
              </div>
            ))}
          </dl>
          <CodeLine code={code} />
          {served && (
            <p class="note">
              <a href={`/${page}`}>The page about it</a>
            </p>
          )}
        </div>
      )}
    </li>
  );
}

/** A number stands out; words, which have no unit, do not. */
function Said({ text, unit }) {
  return unit ? <b>{text}</b> : text;
}

function Verdict({ question: { answer, right, choices } }) {
  const of = (letter) => choices.find((choice) => choice.letter === letter);
  if (answer === right) return <><b>Right.</b> {of(right).why}</>;
  return (
    <>
      <b>Not {answer}.</b> {of(answer).why} The right answer is {right}.
    </>
  );
}

export default { Picture, Whole };
