// Gradient flow: the chain with what goes through it, and a bar for what comes back to each layer.
import { Chain } from "../charts/Chain.jsx";
import { CodeLine } from "../parts/CodeLine.jsx";
import { Numbers } from "../parts/Figure.jsx";
import { Formula, Of, Sub } from "../parts/Formula.jsx";
import { Table } from "../parts/Table.jsx";

function Picture({ result }) {
  const { layers, loss, other, input, scale } = result;
  const units = [
    { name: "input", value: input.text, tip: [`input ${input.text}`] },
    ...layers.map((layer) => ({
      name: layer.name,
      value: layer.value.text,
      weight: layer.weight.text,
      factor: layer.factor?.text,
      bar: { text: layer.grad.text, size: layer.size, other: layer.otherSize },
      tip: [layer.name, `weight ${layer.weight.text}, value ${layer.value.text}`, `gradient ${layer.grad.text}`,
        ...(layer.factor ? [`${layer.factor.text} times the gradient above it`] : []),
        `under ${other} ${layer.other.text}`],
    })),
    { name: "loss", value: loss.text, tip: [`${loss.name} ${loss.text}`] },
  ];
  return (
    <Chain name="gradient-flow" label="The chain, its values and its gradients" units={units} scale={scale}
      up={`size of ∂L/∂z, L the ${loss.name}`} marked={`L the ${other}`}
      description={`${units.length - 2} layers under ${loss.name}. ${layers
        .map((layer) => `${layer.name}: value ${layer.value.text}, gradient ${layer.grad.text}`)
        .join("; ")}. The loss is ${loss.text}.`} />
  );
}

const COLUMNS = [
  { key: "name", name: "layer", kind: "name" },
  { key: "weight", name: "weight w", kind: "number" },
  { key: "value", name: "value h", kind: "number" },
  { key: "factor", name: "factor on the way back", kind: "number" },
  { key: "grad", name: "∂L/∂z", kind: "number" },
  { key: "other", name: "under the other loss", kind: "number" },
];

function Extra({ result }) {
  const rows = result.layers.map((layer) =>
    Object.fromEntries(COLUMNS.map(({ key }) => [key, key === "name" ? layer.name : (layer[key]?.value ?? null)])),
  );
  return (
    <div class="page-extra">
      <Numbers>
        <Table name="gradient-flow" caption="Every layer" columns={COLUMNS} rows={rows} />
      </Numbers>
    </div>
  );
}

const LINES = `loss = criterion(model(x), y)
print(plogq.doctor.gradient_flow(model, loss))`;

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="h k is sigma of z k, and z k is w k times h k minus one, plus b">
        <Sub of="h" at="k" />
        <mo>=</mo>
        <mi>σ</mi><Of><Sub of="z" at="k" /></Of>
        <mo>,</mo>
        <Sub of="z" at="k" />
        <mo>=</mo>
        <Sub of="w" at="k" />
        <msub><mi>h</mi><mrow><mi>k</mi><mo>−</mo><mn>1</mn></mrow></msub>
        <mo>+</mo><mi>b</mi>
      </Formula>
      <Formula label="the derivative of L by z k is the derivative of L by z k plus one, times w k plus one, times h k times one minus h k">
        <Slope at={<mi>k</mi>} />
        <mo>=</mo>
        <Slope at={<Next />} />
        <mo>·</mo>
        <msub><mi>w</mi><Next /></msub>
        <Sub of="h" at="k" />
        <Of><mn>1</mn><mo>−</mo><Sub of="h" at="k" /></Of>
      </Formula>
      <p>
        Numbers go forward through the circles; the gradient comes back along the arrows, one factor per layer. Each
        weight learns from the gradient of its layer, so a layer that gets no gradient does not learn. The bars have a
        scale of powers of ten, where equal steps are equal factors. In a deep chain of small factors the gradient
        vanishes under every loss. Larger weights keep it, and so do units that are not flat at their ends, and
        connections that skip layers. The weights after the third are the same three again.
      </p>
      <p>Two lines show the gradient by layer in a model of your own, of PyTorch:</p>
      <CodeLine code={LINES} />
    </>
  );
}

/** ∂L by z with an index. */
function Slope({ at }) {
  return (
    <mfrac>
      <mrow><mo>∂</mo><mi>L</mi></mrow>
      <mrow><mo>∂</mo><msub><mi>z</mi>{at}</msub></mrow>
    </mfrac>
  );
}

function Next() {
  return <mrow><mi>k</mi><mo>+</mo><mn>1</mn></mrow>;
}

export default { Picture, Text, Extra };
