// Forward and reverse KL: a target of two bumps, a normal, and the normals that are best.
import { Lines } from "../charts/Lines.jsx";
import { Small } from "../parts/Chart.jsx";
import { Formula, Log, Of } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { useContext } from "preact/hooks";

const CURVES = [["target", "the target p", "ink"], ["model", "your normal q", "gain"]];
const FITS = [["covers", "best forward", "keep"], ["seeks", "best in reverse", "waste"]];
const COSTS = [["forward", "p log p/q", "keep"], ["reverse", "q log q/p", "waste"]];

function Picture({ result, set }) {
  const small = useContext(Small);
  const { curves, fits } = result;
  const series = (list, dashed) =>
    list.map(([key, name, color]) => ({ name, color, dashed, points: curves[key] }));
  const domain = [curves.target[0][0], curves.target.at(-1)[0]];
  const told = ([key]) => `mean ${fits[key].mean.text}, standard deviation ${fits[key].sd.text}`;
  return (
    <>
      <Lines name="divergences" label="The target, your normal, and the best ones" height={340}
        description={FITS.map((fit) => `${fit[1]}: ${told(fit)}`).join("; ")}
        series={[...series(FITS, true), ...series(CURVES)]}
        x={{ label: "x", domain }} y={{ label: "density" }} />
      {!small && (
        <>
          <Legend items={[
            ...CURVES.map(([, name, color]) => ({ name, color })),
            ...FITS.map((fit) => ({ name: fit[1], color: fit[2], text: told(fit) })),
          ]} />
          <p class="run-buttons no-print">
            {FITS.map(([key, name]) => (
              <button key={key} class="button" type="button"
                onClick={() => set({ mean: fits[key].mean.value, sd: fits[key].sd.value })}>
                Take the {name}
              </button>
            ))}
          </p>
          <Lines name="divergence-terms" label="Where the divergences come from" height={280}
            description="The area between each curve and 0 is the divergence of its name."
            series={series(COSTS)} x={{ label: "x", domain }} y={{ label: "nats per unit of x" }} />
          <Legend items={COSTS.map(([key, name, color], i) => ({
            name, color, text: `the area under it is ${result.readouts[2 * i].text} nats, ${key}`,
          }))} />
        </>
      )}
    </>
  );
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      {[["p", "q"], ["q", "p"]].map(([one, other]) => (
        <Formula key={one} label={`KL of ${one} from ${other} is the integral of ${one} log ${one} over ${other}`}>
          <mi>KL</mi><Of><mi>{one}</mi><mo>‖</mo><mi>{other}</mi></Of><mo>=</mo><mo>∫</mo>
          <mi>{one}</mi><Of><mi>x</mi></Of><Log />
          <mfrac>
            <mrow><mi>{one}</mi><Of><mi>x</mi></Of></mrow>
            <mrow><mi>{other}</mi><Of><mi>x</mi></Of></mrow>
          </mfrac>
          <mi>d</mi><mi>x</mi>
        </Formula>
      ))}
      <p>
        The distribution in front gives the weights. Forward, the target weighs: where it has something and the model
        next to nothing, the model pays much. So the best model lies over all of the target, and over the gap as well.
        Among normals it is the one with the target’s mean and variance. In reverse, the model weighs: it may leave out
        a bump, for the price of −log of the weight of the other, but must not lie where the target has next to nothing.
      </p>
      <p>
        Maximum likelihood, and so training with cross-entropy, is forward: the data are drawn from the target.
        Variational inference is reverse, as samples can be drawn only from the model. Here both are sums over a fine
        grid. The best in reverse is found by descent from three starting points, since there may be several minima.
      </p>
    </>
  );
}

export default { Picture, Text };
