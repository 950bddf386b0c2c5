// Which loss?: the answer to the questions, and its number beside that of a common mistake.
import { useContext } from "preact/hooks";
import { Bars } from "../charts/Bars.jsx";
import { Small } from "../parts/Chart.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { number } from "../parts/format.js";

/** A task does not ask everything. */
const turned = (state, result) => result?.asks;

function Picture({ result }) {
  const small = useContext(Small);
  const bars = (
    <Bars name="which-loss" label="The loss, and what the mistake makes of it" bars={result.bars}
      description={result.bars.map((bar) => `${bar.name}: ${number(bar.value)}`).join("; ")} />
  );
  if (small) return bars;
  return (
    <>
      <section class="which-loss">
        <h2 aria-live="polite">{result.loss}</h2>
        <p>{result.why}</p>
        <CodeLine code={result.call} />
        <p class="note">
          <b>It takes:</b> {result.expects}
        </p>
      </section>
      <section class="which-loss">
        <h3>On a small example</h3>
        {bars}
      </section>
    </>
  );
}

function Text() {
  return (
    <>
      <h2>The rule behind it</h2>
      <p>
        Say how the data could have come about, give what happened a probability, and take minus its logarithm. One of
        several classes is one throw of a die: softmax, and cross-entropy. Labels that do not exclude each other are so
        many coins: sigmoids, and binary cross-entropy. A number with noise around it is a normal density: squared
        error. Each of the three is a cross-entropy, and most mistakes hand it the wrong one of three things: logits,
        log-probabilities or probabilities.
      </p>
      <p>
        Rare classes seldom need another loss. Cross-entropy learns their probabilities, small as they are; a threshold
        decides afterwards. Weights and focal loss shift the probabilities for the sake of that decision.
      </p>
    </>
  );
}

export default { Picture, Text, turned };
