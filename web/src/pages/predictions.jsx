// Your predictions: a table or a result that the reader brings, drawn by the report's own code.
import { useEffect, useId, useState } from "preact/hooks";
import { ReportBody } from "../report/Report.jsx";
import { LossStack } from "../charts/LossStack.jsx";
import { Awaited } from "../parts/Sketch.jsx";
import { toNumber } from "../parts/format.js";

function Picture({ result: { result, findings } }) {
  return (
    <LossStack name="loss" label="What the loss is made of" description="" units={findings.units}
      whole={toNumber(result.label_entropy)} loss={toNumber(result.cross_entropy)}
      finite={toNumber(result.cross_entropy_finite) || 0} gain={toNumber(result.information_gain)}
      parts={findings.loss.parts.filter((part) => part.drawn)} />
  );
}

function Whole({ result, error, files, served }) {
  const [report, setReport] = useState(null);
  useEffect(() => {
    // What `plogq explore FILE` was started with, unless the reader has been faster.
    if (served) started().then((brought) => setReport((own) => own ?? brought), () => {});
  }, []);
  const shown = report ?? result;
  return (
    <>
      {served && <Bring show={setReport} files={files} />}
      {served && !report && (
        <p class="note bring-example">
          Until then this is an example: a small model of handwritten digits, scored on rows that it has not seen.
        </p>
      )}
      {!shown && <Awaited error={error} />}
      {shown && (
        <ReportBody key={report ? "own" : "first"} result={shown.result} findings={shown.findings} level="h2"
          contents={served} />
      )}
    </>
  );
}

/** The form that takes a file; show: called with its report; files: endings of those it takes. */
function Bring({ show, files }) {
  const [refusal, setRefusal] = useState(null);
  const [working, setWorking] = useState(null);
  const [over, setOver] = useState(false);
  const hint = useId();
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    event.currentTarget.elements.file.files = event.dataTransfer.files;
  };
  const hover = (event) => {
    event.preventDefault(); // or the browser would open the file
    setOver(true);
  };

  const send = async (event) => {
    event.preventDefault();
    const { file, label, id, unit } = event.currentTarget.elements;
    const [chosen] = file.files;
    if (!chosen) return;
    setWorking(chosen.name);
    setRefusal(null);
    try {
      show(await upload(chosen, { label: label.value, id: id.value, unit: unit.value }));
    } catch (error) {
      setRefusal(error.message);
    }
    setWorking(null);
  };

  return (
    <>
      <form class={`bring controls no-print${over ? " bring-over" : ""}`} onSubmit={send}
        onDrop={drop} onDragOver={hover} onDragLeave={() => setOver(false)}>
        <label class="bring-file">
          <span>a table of predictions, or the JSON of a score: choose it, or drop it here</span>
          <input class="field" type="file" name="file" required aria-describedby={hint}
            accept={files.join()} />
        </label>
        <Field name="label" label="column of the label" value="label" />
        <Field name="id" label="column that names a row" placeholder="none" />
        <label>
          <span>unit</span>
          <select class="field" name="unit">
            <option value="bit">bits</option>
            <option value="nat">nats</option>
          </select>
        </label>
        <button class="button button-main" type="submit" disabled={working !== null}>
          Score it
        </button>
        <p class="note" id={hint}>
          Parquet, CSV, JSON, Arrow, NPZ and others, up to 1 GiB, with a column for each class (logit_…, logprob_… or
          prob_…) or one column of lists. The file goes to the plogq on this machine, and is not kept.
        </p>
      </form>
      <p class="note" role="status">{working !== null && `Scoring ${working} …`}</p>
      {refusal && (
        <p class="refusal" role="alert">
          {refusal}
        </p>
      )}
    </>
  );
}

function Field({ name, label, ...given }) {
  return (
    <label>
      <span>{label}</span>
      <input class="field" type="text" name={name} autocomplete="off" spellcheck={false} {...given} />
    </label>
  );
}

async function started() {
  return (await fetch("/api/predictions")).json();
}

async function upload(file, options) {
  const query = new URLSearchParams({ name: file.name, ...options });
  const response = await fetch(`/api/predictions?${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  }).catch(() => {
    throw new Error("The server does not answer. Was it stopped, or has the file changed?");
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export default { Picture, Whole };
