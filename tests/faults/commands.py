"""The commands that take long or write files, each with inputs that keep it at work for a second.

A command's `words` are those after `plogq`; outputs are names in the folder that it runs in, and
inputs lie in a folder beside that. What `words` call `{in}` is the folder of inputs.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]
WATCH = """
import torch
from plogq.doctor import watch
torch.manual_seed(0)
model = torch.nn.Linear(8, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, torch.nn.functional.cross_entropy) as found:
    for step in range(40):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        loss = torch.nn.functional.cross_entropy(model(x), x[:, :3].argmax(1))
        loss.backward()
        optimizer.step()
"""
MISTAKE = """import torch
from torch import nn


def loss{i}(x, y):
    return nn.functional.cross_entropy(torch.softmax(x, 1), y)


def log{i}(p):
    return torch.log(torch.softmax(p, -1))
"""


@dataclass(frozen=True)
class Command:
    """A command, the files that it writes, and what it ends with when nothing goes wrong."""

    name: str
    words: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    status: int = 0
    resumes: str = ""  # what of its own lies beside an output until that is whole
    workers: bool = False  # it starts processes
    copies: str = ""  # inputs that it changes in place, and are copied for each run
    same: bool = True  # it prints and writes the same each time

    def argv(self, inputs: Path) -> list[str]:
        """Return what is run, with inputs from a folder."""
        return [*PLOGQ, *(word.replace("{in}", str(inputs)) for word in self.words)]


QUICK = ("--bootstrap", "50")
COMMANDS = (  # those that take longest first
    Command("lm --model --save", ("lm", "--model", "{in}/model", "{in}/texts.jsonl", "--save",
            "o.parquet", "--json", "o.json", "--batch-tokens", "256"), ("o.parquet", "o.json"),
            resumes="o.parquet.part"),
    Command("score --engine dask", ("score", "{in}/t.parquet", "--json", "o.json", *QUICK,
            "--engine", "dask"), ("o.json",), workers=True),
    Command("doctor code", ("doctor", "code", "{in}/code"), status=3, workers=True),
    Command("score", ("score", "{in}/t.parquet", "--json", "o.json", "--html", "o.html"),
            ("o.json", "o.html")),
    Command("score, a report", ("score", "{in}/t.parquet", *QUICK)),
    Command("score --fail-if", ("score", "{in}/t.parquet", "--json", "o.json", *QUICK,
            "--fail-if", "accuracy > 0"), ("o.json",), status=3),
    Command("compare", ("compare", "{in}/t.parquet", "{in}/u.parquet", "--json", "o.json",
            "--html", "o.html"), ("o.json", "o.html")),
    Command("lm", ("lm", "{in}/tokens.parquet", "--json", "o.json", "--html", "o.html"),
            ("o.json", "o.html")),
    Command("code FILE", ("code", "{in}/book.txt", "--order", "3", "--out", "o.plq"), ("o.plq",)),
    Command("code --decode", ("code", "{in}/book.plq", "--decode", "--out", "o.txt"), ("o.txt",)),
    Command("code --label", ("code", "{in}/t.parquet", "--label", "label", "--out", "o.plq"),
            ("o.plq",)),
    Command("code --decode --under", ("code", "{in}/labels.plq", "--decode", "--under",
            "{in}/t.parquet", "--out", "o.csv"), ("o.csv",)),
    Command("recalibrate --save", ("recalibrate", "{in}/t.parquet", "--save", "o.json"),
            ("o.json",)),
    Command("recalibrate --with --out", ("recalibrate", "--with", "{in}/kept.json",
            "{in}/t.parquet", "--out", "o.csv"), ("o.csv",)),
    Command("labels", ("labels", "{in}/t.parquet", "--csv", "o.csv", "--json", "o.json"),
            ("o.csv", "o.json")),
    Command("doctor table", ("doctor", "table", "{in}/t.parquet")),
    Command("doctor code --fix", ("doctor", "code", "fixed", "--fix"), copies="fixed"),
    Command("demo", ("demo", "--folder", "out"), ("out/predictions.parquet",), same=False),
)  # fmt: skip


def plogq(*words: object, cwd: Path) -> None:
    """Run a command that makes an input."""
    done = subprocess.run([*PLOGQ, *map(str, words)], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr}")


def make_inputs(folder: Path, rows: int = 300_000, model: bool = True) -> None:
    """Write the inputs of all commands."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, rows)
    for name, gain in (("t", 2.0), ("u", 1.5)):
        logits = rng.standard_normal((rows, 5)).astype(np.float32)
        logits[np.arange(rows), labels] += gain
        columns = {f"logit_{j}": logits[:, j] for j in range(5)}
        table = pa.table({"label": labels, **columns})
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=rows // 8)
    tokens = pa.table({
        "doc": np.arange(rows) // 100,
        "logprob": -rng.exponential(2, rows),
        "bytes": rng.integers(1, 9, rows),
    })  # fmt: skip
    pq.write_table(tokens, folder / "tokens.parquet")
    library = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    text = b"".join(path.read_bytes() for path in library)
    (folder / "book.txt").write_bytes(text[: 2 * rows])
    _write_code(folder / "code", 130, 4)
    _write_code(folder / "fixed", 30, 10)
    plogq("code", "book.txt", "--order", 3, "--out", "book.plq", cwd=folder)
    plogq("code", "t.parquet", "--label", "label", "--out", "labels.plq", cwd=folder)
    plogq("recalibrate", "t.parquet", "--save", "kept.json", "--bootstrap", 0, cwd=folder)
    if model:
        _write_model(folder)


def _write_code(folder: Path, files: int, times: int) -> None:
    folder.mkdir()
    for i in range(files):
        path = folder / f"train_{i:03}.py"
        path.write_text(MISTAKE.replace("{i}", str(i)) * times)
        path.chmod(0o755 if i % 2 else 0o644)


def _write_model(folder: Path) -> None:
    import json

    from tests.lm.models import library, tiny, tokenizer

    tiny().save_pretrained(folder / "model")
    tokenizer().save_pretrained(folder / "model")
    with (folder / "texts.jsonl").open("w") as file:
        for text in library(8).values():
            file.write(json.dumps({"text": text[:1500]}) + "\n")
