"""Write `docs/benchmarks.md` from what the benchmarks printed: `make benchmarks`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
RESULTS = BENCHMARKS / "results"
PAGE = Path(__file__).with_name("benchmarks.md")

GROUPS = {
    "Train: time and memory of the losses": (
        "torch_losses",
        "cross_entropy",
        "linear_heads",
        "parallel_losses",
        "jax_losses",
        "keras_losses",
        "training",
        "watch",
    ),
    "Score: time and memory": ("score", "score_size", "scaling"),
    "Score: whether the figures hold": (
        "intervals",
        "measures",
        "decomposition",
        "recalibration",
        "recalibration_peers",
        "labels",
    ),
    "Understand": ("codes", "explorer"),
}
ELSEWHERE = {
    "demo_lm": "an n-gram model of Python's library, scored: [Language models](lm.md) shows it",
    "lm_model": "a small model of transformers, scored: [Language models](lm.md) shows it",
    "triton_resources": "what the kernels need of each GPU, compiled without one: [GPUs](gpu.md)",
}

HEADER = """# Benchmarks

What was measured, as the benchmarks printed it: each table names its machine, versions and settings
first. All are of two cores of a virtual machine; `make bench` measures most of them on yours, and
writes the files that `make benchmarks` made this page of. Contenders take turns, so that a busy
moment of the machine meets all of them; a ratio tells more than a time. How exact the results are
is in [accuracy.md](accuracy.md).
"""


def page() -> str:
    """Return the text of the page."""
    named = {name for names in GROUPS.values() for name in names} | ELSEWHERE.keys()
    others = sorted({path.stem for path in RESULTS.glob("*.txt")} - named)
    groups = {**GROUPS, "Also measured": tuple(others)} if others else GROUPS
    parts = [HEADER]
    for title, names in groups.items():
        parts.append(f"## {title}\n")
        parts += [_measured(name) for name in names]
    parts.append("## Elsewhere\n")
    parts += [f"- `benchmarks/results/{name}.txt`: {text}" for name, text in ELSEWHERE.items()]
    return "\n".join(parts) + "\n"


def _measured(name: str) -> str:
    script = (BENCHMARKS / f"{name}.py").read_text()
    docstring = ast.get_docstring(ast.parse(script)) or ""
    printed = (RESULTS / f"{name}.txt").read_text().rstrip("\n")
    first = docstring.partition("\n")[0]
    return f"### {name}\n\n{first} (`benchmarks/{name}.py`)\n\n```text\n{printed}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page())
