// Which loss?: the answer to the questions, and its number beside that of a common mistake.
import { useContext } from "preact/hooks";
import { Bars } from "../charts/Bars.jsx";
import { Small } from "../parts/Chart.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { number } from "../parts/format.js";

/** A task asks only some of the questions. */
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
        Choose a model of how the data come about. It gives what happened a probability, and the loss is minus the
        logarithm of that. One of several classes is a throw of a die: softmax and cross-entropy. Labels that do not
        exclude each other are one coin each: sigmoids and binary cross-entropy. A number with noise is a normal density:
        squared error. Each of the three is a cross-entropy. Most mistakes give it the wrong one of three inputs: logits,
        log-probabilities or probabilities.
      </p>
      <p>
        Rare classes seldom need another loss. Cross-entropy learns their small probabilities, and a threshold decides
        afterwards. Weights and focal loss change the probabilities in favour of that decision.
      </p>
    </>
  );
}

export default { Picture, Text, turned };
