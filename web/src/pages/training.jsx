// Training: both networks' accuracy, losses and gradients, growing as the steps come in.
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Digits } from "../charts/Digits.jsx";
import { Panels } from "../charts/Panels.jsx";
import { openStream } from "../explorer/stream.js";
import { Small } from "../parts/Chart.jsx";
import { Controls } from "../parts/Controls.jsx";
import { Formula, Of, Sub } from "../parts/Formula.jsx";
import { Legend } from "../parts/Legend.jsx";
import { Readouts } from "../parts/Readouts.jsx";
import { Awaited } from "../parts/Sketch.jsx";
import { Slider } from "../parts/Slider.jsx";
import { PageWords } from "../parts/PageWords.jsx";
import { brief } from "../parts/format.js";

const NETWORKS = [
  { key: "cross_entropy", name: "under cross-entropy", color: "gain" },
  { key: "squared_error", name: "under squared error", color: "waste" },
];
const DECADES = [1e-8, 1e-6, 1e-4, 1e-2, 1];

function Picture({ result, moments = result.moments, running = false }) {
  const small = useContext(Small);
  const series = (value) =>
    NETWORKS.map(({ key, name, color }) => ({
      name,
      color,
      points: moments.map((m) => [m.step, value(m[key])]).filter(([, y]) => y !== null),
    }));
  const most = (curves) => Math.max(...curves.flatMap((s) => s.points.map(([, y]) => y)), 1e-9);
  const loss = (name, key) => {
    const curves = series((seen) => seen.losses[key]);
    return { name, series: curves, thin: true, y: { domain: [0, most(curves) * 1.04] } };
  };
  const pulls = result.layers.map((_, i) => series((seen) => seen.norms[i]));
  const norms = pulls.flat().flatMap((s) => s.points.map(([, y]) => y)).filter((y) => y > 0);
  const [low, high] = [Math.min(0.01, ...norms), Math.max(1, ...norms)];
  const panels = [
    {
      name: "Held-out digits right",
      series: series((seen) => seen.accuracy),
      y: { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], show: (y) => `${brief(100 * y)} %` },
    },
    loss("Cross-entropy of the batch, nats", "cross_entropy"),
    loss("Squared error of the batch", "squared_error"),
    ...result.layers.map((layer, i) => ({
      name: `Gradient, ${layer}`,
      series: pulls[i],
      thin: true,
      y: {
        domain: [low, high], scale: "log", show: brief,
        ticks: low < 1e-3 ? DECADES.filter((y) => y >= low) : [0.01, 0.1, 1],
      },
    })),
  ];
  const last = moments.at(-1);
  return (
    <Panels name="training" label="Accuracy, losses and gradients by step"
      panels={small ? panels.slice(0, 1) : panels} read={!running}
      x={{ label: "step", domain: [0, small ? last.step || 1 : result.last] }}
      description={`After ${last.step} steps. ${NETWORKS.map(({ key, name }) =>
        `${name}: cross-entropy ${brief(last[key].losses.cross_entropy)}, squared error ${brief(
          last[key].losses.squared_error)}, gradient norms ${last[key].norms.map(brief).join(", ")}`,
      ).join("; ")}.`} />
  );
}

/** Some of the data, and what both networks take them for. */
function HeldOut({ digits, now }) {
  const models = NETWORKS.map(({ key, name, color }) => ({ name, color, guesses: now[key].guesses }));
  return (
    <Digits name="digits" label="Held-out digits, and what each network takes them for" digits={digits} models={models}
      description={`The digits ${digits.map((d) => d.label).join(", ")}. ${models
        .map((m) => `${m.name}: ${m.guesses.join(", ")}`).join("; ")}.`} />
  );
}

function Whole({ state, result, error, set, controls, served }) {
  const run = useRun({ state, result, set, controls });
  const { steps, ...settings } = controls;
  const change = (changes) => {
    run.drop();
    set(changes);
  };
  if (!result) return <Awaited error={error} />;
  const { readouts, notice } = run.words ?? result;
  return (
    <>
      <div class="page-stage">
        <div class="page-picture">
          <Legend items={NETWORKS.map(({ name, color }) => ({ color, name: `trained ${name}` }))} />
          <Picture result={result} moments={run.moments} running={run.running || result.more} />
          <HeldOut digits={result.digits} now={run.moments.at(-1)} />
        </div>
        <div class="page-side">
          <Steps run={run} at={run.running ? run.at : state.steps} last={result.last} change={change} served={served} />
          <Readouts readouts={readouts} />
          <Controls controls={settings} state={state} set={change} result={result} />
        </div>
        <PageWords notice={notice} code={result.code} quiet={run.running || result.more}>
          <section>
            <Text />
          </section>
        </PageWords>
      </div>
    </>
  );
}

function Steps({ run, at, last, change, served }) {
  return (
    <div class="controls no-print">
      <div class="run-buttons">
        {served && (
          <button class="button button-main" type="button" disabled={at >= last}
            onClick={run.running ? run.pause : run.start}>
            {run.running ? "Pause" : at > 0 ? "Go on" : "Train"}
          </button>
        )}
        <button class="button" type="button" disabled={run.running || at >= last}
          onClick={() => change({ steps: at + 1 })}>
          One step
        </button>
        <button class="button" type="button" disabled={at === 0} onClick={() => change({ steps: 0 })}>
          Back to the start
        </button>
      </div>
      <Slider label="steps" value={at} min={0} max={last} step={1}
        change={(steps) => change({ steps })} />
      {run.broken && <p class="refusal" role="alert">{run.broken}</p>}
    </div>
  );
}

/** The steps that Python gave in one answer, and those that have come by stream since. */
function useRun({ state, result, set, controls }) {
  const [live, setLive] = useState([]);
  const [running, setRunning] = useState(false);
  const [broken, setBroken] = useState(null);
  const close = useRef(null);
  const known = result?.moments ?? [];
  const later = live.filter(({ moment }) => moment.step >= known.length);
  const at = known.length - 1 + later.length;

  const stop = () => {
    close.current?.();
    close.current = null;
    setRunning(false);
  };
  useEffect(() => stop, []);
  useEffect(() => {
    addEventListener("pagehide", stop);
    return () => removeEventListener("pagehide", stop);
  }, []);

  return {
    moments: [...known, ...later.map(({ moment }) => moment)],
    words: later.at(-1),
    at,
    running,
    broken,
    start: () => {
      setBroken(null);
      setRunning(true);
      let last = at;
      close.current = openStream("training", controls, { ...state, steps: at }, {
        each: (event) => {
          last = event.moment.step;
          setLive((old) => [...old, event]);
        },
        ended: (sentence) => {
          stop();
          setBroken(sentence);
          if (sentence === null) set({ steps: last });
        },
      });
    },
    pause: () => {
      stop();
      set({ steps: at });
    },
    drop: () => {
      stop();
      setLive([]);
      setBroken(null);
    },
  };
}

function Text() {
  return (
    <>
      <h2>The formula</h2>
      <Formula label="each step takes w to w minus the rate eta times the gradient of the loss with respect to w">
        <mi>w</mi><mo>←</mo><mi>w</mi><mo>−</mo><mi>η</mi>
        <mfrac>
          <mrow><mo>∂</mo><mi>L</mi></mrow>
          <mrow><mo>∂</mo><mi>w</mi></mrow>
        </mfrac>
      </Formula>
      <Formula label="by the logits, the gradient of cross-entropy is q minus t; that of squared error is 2 q j times q j minus t j minus the sum over k of q k times q k minus t k">
        <mfrac>
          <mrow><mo>∂</mo><mi>CE</mi></mrow>
          <mrow><mo>∂</mo><Sub of="x" at="j" /></mrow>
        </mfrac>
        <mo>=</mo><Sub of="q" at="j" /><mo>−</mo><Sub of="t" at="j" />
        <mo>,</mo><mspace width="1.5em" />
        <mfrac>
          <mrow><mo>∂</mo><mi>SE</mi></mrow>
          <mrow><mo>∂</mo><Sub of="x" at="j" /></mrow>
        </mfrac>
        <mo>=</mo><mn>2</mn><Sub of="q" at="j" />
        <Of>
          <Sub of="q" at="j" /><mo>−</mo><Sub of="t" at="j" /><mo>−</mo>
          <munder><mo>∑</mo><mi>k</mi></munder>
          <Sub of="q" at="k" /><Of><Sub of="q" at="k" /><mo>−</mo><Sub of="t" at="k" /></Of>
        </Of>
      </Formula>
      <p>
        Both copies begin with the same weights and see the same batches at the same rate. The gradient of squared error
        has the factor q: if the softmax gives the true class almost nothing, the gradient of its logit is almost 0,
        too. The gradient of cross-entropy is the plain difference, which is largest where the network is most wrong.
        Large first weights make a network that is sure and wrong, and then the two losses differ much; so they do with
        sigmoid units. With small weights and tanh units both learn. A batch is a sample: its loss and its gradient jump
        from step to step.
      </p>
    </>
  );
}

export default { Picture, Whole };
