"""docs/your-file.md: what saves and what scores are run, on objects that stand for a tool's."""

import json
import re
import shlex
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-file.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL))

CLASSES = np.array(["cat", "dog", "owl"])
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (60, 3))
P = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
Y = (RNG.random((60, 1)) > P.cumsum(axis=1)).sum(axis=1)
# As many classes as the tool's example has, in nats per row.
RIGHT = -np.log(P[np.arange(60), Y]).mean()


def thing(**members):
    """Give an object with these members: a value, or what a method returns."""
    return types.SimpleNamespace(**members)


def always(value):
    """Give a method that returns one value."""
    return lambda *_, **__: value


def wide(prefix, names=CLASSES, values=P):
    return pd.DataFrame(values, columns=[f"{prefix}{name}" for name in names])


class SparkColumn:
    """A column of Spark: a name that is taken, and a name that it gets."""

    def __init__(self, name):
        self.name = self.new = name

    def alias(self, new):
        self.new = new
        return self

    def cast(self, _):
        return self


class SparkFrame:
    """A frame of Spark that writes a folder of parts."""

    def __init__(self, columns):
        self.columns = columns
        self.write = self

    def select(self, *columns):
        return SparkFrame({column.new: self.columns[column.name] for column in columns})

    def parquet(self, folder):
        Path(folder).mkdir()
        (Path(folder) / "_SUCCESS").touch()
        for part, rows in enumerate(np.array_split(np.arange(60), 3)):
            table = pa.table({k: pa.array([v[i] for i in rows]) for k, v in self.columns.items()})
            pq.write_table(table, f"{folder}/part-{part:05}-c000.snappy.parquet")


def spark(monkeypatch):
    functions = thing(vector_to_array=SparkColumn, col=SparkColumn)
    for name in ("pyspark", "pyspark.ml", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name in ("pyspark.ml.functions", "pyspark.sql.functions"):
        monkeypatch.setitem(sys.modules, name, functions)
    frame = {"probability": P.tolist(), "label": Y.tolist(), "prediction": P.argmax(1).tolist()}
    return {"predictions": SparkFrame(frame)}


def h2o(_):
    predicted = wide("p", range(3))
    predicted.insert(0, "predict", P.argmax(axis=1))
    truth = {"y": thing(as_data_frame=always(pd.DataFrame({"y": Y})))}
    return {"model": thing(predict=always(thing(as_data_frame=always(predicted)))), "frame": truth}


def kaggle(_):
    ids = np.arange(100, 160)
    wide("Class_", (1, 2, 3)).assign(id=ids).to_csv("submission.csv", index=False)
    solution = pd.DataFrame({"id": ids, "target": [f"Class_{y + 1}" for y in Y]})
    solution.sample(frac=1, random_state=0).to_csv("solution.csv", index=False)
    return {}


def openml(_):
    first = pd.DataFrame({"repeat": 0, "fold": np.arange(60) % 3, "row_id": np.arange(60)})
    last = {"prediction": CLASSES[P.argmax(axis=1)], "correct": CLASSES[Y]}
    run = thing(predictions=pd.concat([first, wide("confidence.")], axis=1).assign(**last))
    return {"openml": thing(runs=thing(get_run=always(run)))}


def mlflow(_):
    folder = Path("mlruns/0/run/artifacts")
    folder.mkdir(parents=True)
    log = thing(log_artifact=lambda path: shutil.copy(path, folder))
    return {"table": wide("prob_").assign(label=CLASSES[Y]), "mlflow": log}


def wandb(_):
    table = thing(get_dataframe=always(wide("prob_").assign(label=CLASSES[Y])))
    return {"run": thing(use_artifact=always(thing(get=always(table))))}


def sklearn(_):
    return {"model": thing(predict_proba=always(P), classes_=CLASSES), "X": None, "y": CLASSES[Y]}


def xgboost(_):
    matrix = thing(get_label=always(Y.astype(np.float32)))
    return {"booster": thing(predict=always(LOGITS)), "matrix": matrix}


def lightgbm(_):
    return {"booster": thing(predict=always(LOGITS)), "X": None, "y": Y}


def catboost(_):
    pool = thing(get_label=always(list(CLASSES[Y])))
    return {"model": thing(predict=always(LOGITS), classes_=CLASSES), "pool": pool}


def keras(_):
    return {"model": thing(predict=always(P.astype(np.float32))), "x": None, "y": Y}


def hugging_face(_):
    found = thing(predictions=LOGITS.astype(np.float32), label_ids=Y, metrics={})
    return {"trainer": thing(predict=always(found)), "dataset": None}


def response(**fields):
    return thing(model_dump_json=always(json.dumps({"object": "x", "model": "m"} | fields)))


def chat(_):
    def create(model, messages, logprobs):
        prompt = messages[0]["content"]
        tokens = [("Hi", -0.5), (f" {prompt}", -2.0), ("", -0.5)]
        content = [{"token": t or "<|end|>", "logprob": p, "bytes": list(t.encode()) or None,
                    "top_logprobs": []} for t, p in tokens]  # fmt: skip
        message = {"role": "assistant", "content": f"Hi {prompt}"}
        choice = {"index": 0, "message": message, "logprobs": {"content": content}}
        return response(id=f"chat-{prompt}", choices=[choice])

    client = thing(chat=thing(completions=thing(create=create)))
    return {"client": client, "prompts": ["Ada", "Bob"]}  # 3 nats over 6 bytes each


def given_text(_):
    def create(model, prompt, max_tokens, extra_body):
        first, second = prompt.split(" ")
        logprobs = [None, {"7": {"logprob": -1.5, "rank": 2, "decoded_token": f" {second}"}}]
        choice = {"index": 0, "text": ".", "logprobs": None, "prompt_logprobs": logprobs}
        return response(id=f"cmpl-{first}", choices=[choice])

    return {"client": thing(completions=thing(create=create)), "texts": ["My cat", "A dog"]}


def harness(_):
    Path("out/model").mkdir(parents=True)
    sample = {"doc": {}, "target": "", "resps": [["-3.0"]], "filtered_resps": ["-3.0"],
              "arguments": {"gen_args_0": {"arg_0": "one two"}}, "word_perplexity": [-3.0, 2],
              "byte_perplexity": [-3.0, 7], "bits_per_byte": [-3.0, 7]}  # fmt: skip
    lines = [json.dumps({"doc_id": i} | sample) for i in range(2)]
    Path("out/model/samples_wikitext.jsonl").write_text("\n".join(lines) + "\n")
    return {}


TOOLS = {
    "scikit-learn": (sklearn, RIGHT),
    "XGBoost": (xgboost, RIGHT),
    "LightGBM": (lightgbm, RIGHT),
    "CatBoost": (catboost, RIGHT),
    "H2O": (h2o, RIGHT),
    "Spark": (spark, RIGHT),
    "Keras": (keras, RIGHT),
    "Hugging Face": (hugging_face, RIGHT),
    "Kaggle": (kaggle, RIGHT),
    "OpenML": (openml, RIGHT),
    "MLflow": (mlflow, RIGHT),
    "Weights & Biases": (wandb, RIGHT),
    "OpenAI, and servers of its protocol: vLLM, SGLang, TGI, llama.cpp, Ollama": (chat, 3 / 6),
    "vLLM, of a text that is given": (given_text, 1.5 / 4),
    "lm-evaluation-harness": (harness, 3 / 7),
}  # fmt: skip


def test_every_tool_of_the_page_is_run():
    assert list(SECTIONS) == list(TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
def test_what_saves_and_what_scores(tool, tmp_path, monkeypatch, capsys):
    bring, right = TOOLS[tool]
    monkeypatch.chdir(tmp_path)
    names = bring(monkeypatch)
    for block in re.findall(r"^```python\n(.*?)^```", SECTIONS[tool], re.MULTILINE | re.DOTALL):
        exec(block, names)
    [line] = re.findall(r"^plogq .*", SECTIONS[tool], re.MULTILINE)
    more = ["--json", "-", "--unit", "nat", "--bootstrap", "0"]
    monkeypatch.setattr(sys, "argv", [*shlex.split(line), *more])
    main()
    found = json.loads(capsys.readouterr().out)
    figure = "cross_entropy_per_byte" if " lm " in line else "cross_entropy"
    assert found[figure] == pytest.approx(right, rel=1e-6)


@pytest.mark.parametrize("tool", ["XGBoost", "LightGBM"])
def test_one_logit_of_two_classes(tool, tmp_path, monkeypatch, capsys):
    margin, y = LOGITS[:, 0], (Y > 0).astype(int)
    monkeypatch.setattr(sys.modules[__name__], "LOGITS", margin)
    monkeypatch.setattr(sys.modules[__name__], "Y", y)
    right = np.log1p(np.exp(np.where(y == 1, -margin, margin))).mean()
    monkeypatch.setitem(TOOLS, tool, (TOOLS[tool][0], right))
    test_what_saves_and_what_scores(tool, tmp_path, monkeypatch, capsys)
