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
          .map((s) => `${s.name}: ${said(s)}, ${s.share_text} of the budget${s.clash ? ", shared" : ""}`)
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
    (entropy ? [part("entropy", entropy, "keep"), part("excess", excess, "waste")]
      : [part("cannot be decoded", total, "rest")]
    ).filter((p) => p.value > 0);
  return (
    <>
      <section class="page-extra">
        <h2>Huffman’s tree for the first source</h2>
        <p class="note">
          Huffman’s method joins the two rarest symbols into one, then again the two rarest, until one is left. This
          gives the length of each word; the tree shows words of those lengths in order. A word is the path down to its
          leaf. The probabilities of the nodes that branch add up to the expected length.
        </p>
        <Tree name="huffman" label="A tree of Huffman’s words"
          description={tree.filter((n) => n.name).map((n) => `${n.name} ${n.path}`).join(", ")}
          nodes={tree.map((n) => ({
            ...n, text: n.prob.text,
            tip: [n.name ? `${n.name}: ${n.path}` : n.path ? `all words that begin with ${n.path}` : "all",
              `probability ${n.prob.text}`],
          }))} />
      </section>
      <section class="page-extra">
        <h2>What the wrong words cost</h2>
        <p class="note">
          A code that was made for another source pays the entropy of the source that is sent, and an excess. The last
          bar has no words: it takes the lengths −log₂ p themselves, which have fractions of digits.
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
        In the picture each digit leads into one half of what is left. A word takes the part of the budget that its
        digits lead to, and no other word may begin with the same digits. So a word of ℓ digits costs 2 to the −ℓ of the
        budget, and short words are expensive.
      </p>
      <p>
        Words that spend the whole budget show which source they are made for: a word of ℓ digits suits a symbol of
        probability 2 to the −ℓ. In the other direction, a symbol of probability p deserves −log₂ p digits, its
        surprisal. The next page, cross-entropy, is what it costs to expect one source and get another.
      </p>
    </>
  );
}


export default { Picture, Text, Extra };
