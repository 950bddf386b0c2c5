"""Measure the accuracy of every formula and write `docs/accuracy.md`: `make accuracy`."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from subprocess import PIPE

import jax
import mpmath
import numpy as np
import optax
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import accuracy  # noqa: E402
from tests.jax import accuracy as jax_accuracy  # noqa: E402
from tests.jax.accuracy import BOUND  # noqa: E402
from tests.torch import accuracy as torch_accuracy  # noqa: E402

HEADER = f"""# How exact the formulas are

The error of every public function of `plogq.formulas` against mpmath in 80 digits. Inputs are
float32 and float64, taken for exactly what they are: random at scales from 1e-3 to 1e4, masked by
-inf, tied, of one class, nearly one-hot, subnormal, equal but for the last digit, up to ±1e30. The
worst error is given, and the family of inputs where it occurs; `tests/formulas/test_accuracy.py`
fails where the bound is passed. `make accuracy` wrote this page.

An ulp is the distance to the next float. Units:

- **{accuracy.ULP}**: of the exact result.
- **{accuracy.TERM}**: where terms of both signs must cancel: p − t, log Σ exp near 0, log(p/q).
- **{accuracy.GAP}**: an ulp of |f| + Σ |∂f/∂x_j| (max x − x_j). The gap max x − x_j of two floats
  is rounded, by up to half its ulp whatever the formula, and moves the result so (Blanchard,
  Higham, Higham 2021, *Accurately computing the log-sum-exp and softmax functions*).
- **{accuracy.NATS}**: an ulp of the result for each nat in the exponent of an exponential.

Seed {accuracy.SEED}, NumPy {np.__version__}, mpmath {mpmath.__version__}, Python \
{platform.python_version()}, {platform.system()} {platform.machine()}.
The last digit of NumPy's exp and log depends on the CPU: so do the figures, and the bounds leave
room.

| function | output | unit | bound | float32 | float64 |
| --- | --- | --- | --- | --- | --- |
"""

FOOTER = """
Quadrature (float64): the error is below the estimate that these return, which
`tests/formulas/test_continuous.py` holds against closed forms.

"""

BESIDE_TORCH = f"""
## The losses of `plogq.torch` beside torch's own

The largest error in ulp of the logits' dtype, over logits of several scales, against mpmath in 60
digits, torch {torch.__version__.split("+")[0]}. Where torch's is huge it has rounded a small loss
to 0, or cancelled. The loss of a half precision is float32, of which an ulp is small beside it.
`tests/torch/test_accuracy.py` fails where ours is more than an ulp above torch's.

"""

BESIDE_OPTAX = f"""
## The losses of `plogq.jax` beside optax's own

Measured likewise, JAX {jax.__version__}, optax {optax.__version__}; empty where optax has no such
loss. `tests/jax/test_accuracy.py` fails where ours is more than an ulp above optax's, or above
{BOUND} ulp.

"""

BESIDE_KERAS = f"""
## The losses of `plogq.keras` beside Keras's own

Measured likewise on each backend, Keras {version("keras")}; empty where Keras has no such loss.
`tests/keras/test_accuracy.py` fails where ours is more than an ulp above Keras's, or above {BOUND}
ulp.

| loss | backend | dtype | loss: ours | Keras | gradient: ours | Keras |
| --- | --- | --- | --- | --- | --- | --- |
"""


def on_keras(backend: str) -> str:
    """Return the lines of a backend of Keras, which is chosen once in a process."""
    words = [sys.executable, "-m", "tests.keras.in_own_process", "accuracy"]
    chosen = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(words, cwd=ROOT, env=chosen, check=True, text=True, stdout=PIPE)
    return done.stdout


def main() -> None:
    """Measure, and write the page."""
    lines = []
    for entry in accuracy.TABLE:
        worst = [accuracy.measure(entry, dtype) for dtype in accuracy.DTYPES]
        measured = " | ".join(f"{error:.1f} ({family})" for error, family in worst)
        lines.append(f"{accuracy.line(entry)} {measured} |")
    quadrature = [f"- `{name}`" for name in accuracy.WITHIN_ITS_ESTIMATE]
    page = HEADER + "\n".join(lines) + "\n" + FOOTER + "\n".join(quadrature) + "\n"
    page += BESIDE_TORCH + torch_accuracy.table() + "\n"
    with jax.enable_x64(True):
        page += BESIDE_OPTAX + jax_accuracy.table() + "\n"
    page += BESIDE_KERAS + "".join(map(on_keras, ("torch", "jax", "tensorflow")))
    (ROOT / "docs" / "accuracy.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
