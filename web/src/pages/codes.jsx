// Codes: the words' places in the budget, a stream word by word, Huffman's tree, what words cost.
import { Budget } from "../charts/Budget.jsx";
import { Stacks } from "../charts/Stacks.jsx";
import { Tree } from "../charts/Tree.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Named, Of, Sub, Sum } from "../parts/Formula.jsx";
import { Table } from "../parts/Table.jsx";
import { toNumber } from "../parts/format.js";
import { useContext } from "preact/hooks";

function Picture({ result }) {
  const small = useContext(Small);
  const { symbols, deepest } = result;
  const said = (s) => s.word || "no digits";
  return (
    <>
      <Budget name="codes" label="The budget of the code words" deepest={deepest}
        description={symbols
          .map((s) => `${s.name}: ${said(s)}, ${s.share_text} of the budget${s.clash ? ", not its own" : ""}`)
          .join("; ")}
        words={symbols.map((s) => ({
          ...s,
          tip: [`${s.name}: ${said(s)}`, `takes ${s.share_text} of the budget`,
            ...(s.clash ? ["shared with another word"] : [])],
        }))} />
      {!small && <Sent {...result} />}
    </>
  );
}

function Sent({ stream, ambiguous }) {
  return (
    <>
      <div>
        {stream.words.length > 0 && <Spelt words={stream.words} label={`The stream ${stream.digits}`} />}
        <p>{stream.said}</p>
      </div>
      {ambiguous && (
        <div>
          <p>The shortest stream with two readings, {ambiguous.digits}:</p>
          {ambiguous.readings.map((words, i) => (
            <Spelt key={i} words={words} label={`${ambiguous.digits}, reading ${i + 1}`} />
          ))}
        </div>
      )}
    </>
  );
}

function Spelt({ words, label }) {
  return (
    <ol class="spelt" aria-label={label}>
      {words.map((w, i) => (
        <li key={i} class={`edge-${w.color}`}>
          <code>{w.word || "–"}</code>
          <span>{w.letter}</span>
        </li>
      ))}
    </ol>
  );
}

const COLUMNS = [
  ["name", "symbol", "name"], ["prob", "p", "number"], ["ideal", "−log₂ p", "number"],
  ["length", "your digits", "count"], ["word", "your word", "name"], ["huffman", "Huffman’s", "name"],
  ["source", "second source", "number"],
].map(([key, name, kind]) => ({ key, name, kind }));

function Extra({ result }) {
  const { tree, costs } = result;
  const part = (name, figure, color) => ({ name, color, value: toNumber(figure.value), text: figure.text });
  const parts = ({ total, entropy, excess }) =>
    (entropy ? [part("entropy", entropy, "keep"), part("beyond", excess, "waste")]
      : [part("less than can be read", total, "rest")]
    ).filter((p) => p.value > 0);
  return (
    <>
      <section class="page-extra">
        <h2>Huffman’s tree for the first source</h2>
        <p class="note">
          Huffman joins the two rarest symbols to one, then again the two rarest, until one is left. So he finds how
          long each word must be; here words of those lengths stand in order. A word is the way down to its leaf. The
          numbers of the nodes that branch add up to the expected length.
        </p>
        <Tree name="huffman" label="A tree of Huffman’s words"
          description={tree.filter((n) => n.name).map((n) => `${n.name} ${n.path}`).join(", ")}
          nodes={tree.map((n) => ({
            ...n, text: n.prob.text,
            tip: [n.name ? `${n.name}: ${n.path}` : n.path ? `all that begin ${n.path}` : "all",
              `probability ${n.prob.text}`],
          }))} />
      </section>
      <section class="page-extra">
        <h2>What the wrong words cost</h2>
        <p class="note">
          A code made for one source, used for another, pays the entropy of what it sends and something beyond. The last
          bar has no words at all: it takes the lengths −log₂ p as they are, fractions of digits and all.
        </p>
        <Stacks name="code-costs" label="Expected lengths" unit="digits per symbol"
          description={costs.map((c) => `${c.name}: ${c.total.text}`).join("; ")}
          stacks={costs.map((c) => ({ name: `${c.name}: ${c.total.text}`, parts: parts(c) }))} />
      </section>
      <section class="page-extra">
        <h2>Symbol by symbol</h2>
        <Table name="codes" caption="Words and their lengths" columns={COLUMNS}
          rows={result.symbols.map((s) => Object.fromEntries(COLUMNS.map(({ key }) => [key, s[key]?.value ?? s[key]])))} />
      </section>
    </>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="Kraft: the sum over j of 2 to the minus length j is at most 1">
        <Sum over="j" />
        <msup>
          <mn>2</mn>
          <mrow><mo>−</mo><Sub of="ℓ" at="j" /></mrow>
        </msup>
        <mo>≤</mo><mn>1</mn>
      </Formula>
      <Formula label="the expected length, the sum over j of p j length j, is at least the entropy H of p">
        <Named name={<mtext>digits per symbol</mtext>}>
          <Sum over="j" /><Sub of="p" at="j" /><Sub of="ℓ" at="j" />
        </Named>
        <mo>≥</mo>
        <mi>H</mi><Of><mi>p</mi></Of>
      </Formula>
      <p>
        In the picture each digit halves what is left of the budget. A word takes the part that its digits lead to, and
        all that lies below it: no other word may begin like it. So a word of ℓ digits costs 2 to the −ℓ of the budget,
        and short words are dear.
      </p>
      <p>
        Words that just fit the budget say what their maker expects: a word of ℓ digits suits what comes with
        probability 2 to the −ℓ. Turned round, what comes with probability p deserves −log₂ p digits, its surprisal.
        What it costs to expect one source and get another is the next page: cross-entropy.
      </p>
    </>
  );
}


export default { Picture, Text, Extra };
