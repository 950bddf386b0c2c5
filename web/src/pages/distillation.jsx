// Distillation: student and teacher at T, what the teacher says of wrong classes, and why T².
import { useContext } from "preact/hooks";
import { Columns } from "../charts/Columns.jsx";
import { Lines } from "../charts/Lines.jsx";
import { Stacks } from "../charts/Stacks.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Of, Sub } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Point } from "../parts/Marks.jsx";
import { power } from "../parts/format.js";

const SIZES = [
  { key: "with", name: "with T²", color: "waste" },
  { key: "without", name: "without T²", color: "rest" },
];
const WRONG = ["gain", "keep", "waste"];
const REACH = 4; // powers of ten of the picture of sizes

function Picture({ result }) {
  const small = useContext(Small);
  const { classes } = result;
  return (
    <>
      <Columns name="distillation" label="Student and teacher" axis="class" up="probability at T"
        marked="the teacher"
        description={classes
          .map((c) => `${c.name}: student ${c.student.text}, teacher ${c.teacher.text}, gradient ${c.grad.text}`)
          .join("; ")}
        columns={classes.map((c) => ({
          name: c.name, value: c.student.value, text: c.student.text, color: "rest",
          mark: c.teacher.value, pull: -c.grad.value,
          tip: [c.name, `student ${c.student.text}`, `teacher ${c.teacher.text}`, `gradient ${c.grad.text}`],
        }))} />
      {!small && (
        <>
          <Wrong stacks={result.wrong} />
          <Sizes {...result.sizes} />
        </>
      )}
    </>
  );
}

/** What the teacher gives to each wrong class, of what it gives to all of them. */
function Wrong({ stacks }) {
  const colored = stacks.map(({ name, parts }) => ({
    name, parts: parts.map((part, i) => ({ ...part, color: WRONG[i] })),
  }));
  return (
    <div>
      <Stacks name="wrong-classes" label="The teacher on the wrong classes" stacks={colored}
        unit="of what the wrong classes get"
        description={stacks
          .map(({ name, parts }) => `${name}: ${parts.map((p) => `${p.name} ${p.text}`).join(", ")}`)
          .join("; ")} />
      <Legend items={colored[0].parts.map(({ name, color }) => ({ name, color }))} />
    </div>
  );
}

function Sizes({ points, ...curves }) {
  const series = SIZES.map(({ key, name, color }) => ({
    name, color, points: curves[key].filter(([, size]) => size > 0), // a log axis has no 0
  }));
  const most = Math.max(...series.flatMap((s) => s.points.map(([, size]) => size)), 0) || 1;
  const least = Math.min(...series.flatMap((s) => s.points.map(([, size]) => size)), most);
  const high = Math.ceil(Math.log10(most));
  const low = Math.max(high - REACH, Math.min(high - 1, Math.floor(Math.log10(least))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return (
    <div>
      <Lines name="gradient-sizes" label="The size of the teacher’s gradient over T" height={280} series={series}
        description={SIZES.map(({ name }, i) => `${name} ${points[i].text}`).join("; ")}
        x={{ label: "temperature T", scale: "log", domain: [0.5, 20], ticks: [0.5, 1, 2, 5, 10, 20] }}
        y={{ label: "size of the gradient", scale: "log", domain: [ticks[0], ticks.at(-1)], ticks,
          format: (size) => power(Math.round(Math.log10(size))) }}
        over={(on) => SIZES.map(({ key, color }, i) =>
          points[i].size >= ticks[0] && (
            <Point key={key} on={on} at={[points[i].temperature, points[i].size]} color={color} />
          ))} />
      <Legend items={SIZES.map(({ name, color }, i) => ({ name, color, text: points[i].text }))} />
    </div>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="L is alpha times T squared times KL of p and q, plus one minus alpha times the cross-entropy of the student with the label y">
        <mi>L</mi><mo>=</mo>
        <mi>α</mi><msup><mi>T</mi><mn>2</mn></msup><mi>KL</mi><Of><mi>p</mi><mo>‖</mo><mi>q</mi></Of>
        <mo>+</mo>
        <Of><mn>1</mn><mo>−</mo><mi>α</mi></Of><mi>CE</mi><Of><mi>y</mi></Of>
      </Formula>
      <Formula label="p is softmax of the teacher's logits v over T, q is softmax of the student's logits x over T">
        <mi>p</mi><mo>=</mo><Soft of="v" />
        <mo>,</mo><mspace width="1em" />
        <mi>q</mi><mo>=</mo><Soft of="x" />
      </Formula>
      <Formula label="the derivative of T squared KL by x j is T times q j minus p j; for a large T it comes near x j minus v j over C, when both logits have the mean 0">
        <mfrac>
          <mrow><mo>∂</mo><msup><mi>T</mi><mn>2</mn></msup><mi>KL</mi></mrow>
          <mrow><mo>∂</mo><Sub of="x" at="j" /></mrow>
        </mfrac>
        <mo>=</mo>
        <mi>T</mi><Of><Sub of="q" at="j" /><mo>−</mo><Sub of="p" at="j" /></Of>
        <mover><mo>→</mo><mtext>large T</mtext></mover>
        <mfrac>
          <mrow><Sub of="x" at="j" /><mo>−</mo><Sub of="v" at="j" /></mrow>
          <mi>C</mi>
        </mfrac>
      </Formula>
      <p>
        A label names one class and is silent about the others. A trained teacher is not: to it some wrong classes are
        much nearer to the right one than others. At T = 1 these probabilities are small and hardly move the student; a
        higher T makes them large. The student is read at the same T while it learns, and at T = 1 when it is used.
      </p>
      <p>
        Dividing the logits by T divides the gradient by T. And it brings both distributions nearer to each other, as 1/T
        again. T² undoes the two, so that α weighs the teacher against the label alike at every T. For a large T the
        student simply learns the teacher’s logits (C is the number of classes; the mean of the logits does not matter).
      </p>
    </>
  );
}

function Soft({ of }) {
  return (
    <>
      <mi>softmax</mi>
      <Of><mi>{of}</mi><mo stretchy="false">/</mo><mi>T</mi></Of>
    </>
  );
}

export default { Picture, Text };
