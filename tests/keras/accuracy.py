"""How far the losses of logits, ours and Keras's own, are from mpmath's on this backend, in ulp.

The inputs, what is exact and how an error is measured are those of `tests/torch/accuracy.py`.
"""

from functools import partial

import keras
import mpmath
import numpy as np
import torch

import plogq.keras as pk
import plogq.torch as pt
from tests.keras.derived import BACKEND, value_and_gradient
from tests.torch import accuracy as shared

BOUND = 16  # ulp
DTYPES = (torch.float32, torch.bfloat16)
PLAIN, WHOLE = "sparse_categorical_crossentropy", "categorical_crossentropy"
# by the case: our loss, its options, and whether Keras has the same
SOFTMAX = {
    "plain": (PLAIN, {}, True),
    "class weights": (PLAIN, {"class_weight": shared.WEIGHT.tolist()}, False),
    "label smoothing": (PLAIN, {"label_smoothing": 0.125}, False),
    "distributions": (WHOLE, {}, True),
    "focal, γ = 2": ("sparse_categorical_focal_crossentropy", {"alpha": 1.0, "gamma": 2.0}, False),
}
CASES = {(pt.cross_entropy, name): case for name, case in SOFTMAX.items()}
CASES[pt.binary_cross_entropy_with_logits, "plain"] = ("binary_crossentropy", {}, True)


def errors(loss_of, x, exact, dtype):
    """Return the largest errors of the losses and of their gradient."""
    z = keras.ops.convert_to_tensor(x.double().numpy())
    found = value_and_gradient(loss_of, keras.ops.cast(z, str(dtype).removeprefix("torch.")))
    loss, gradient = (torch.from_numpy(np.array(part)) for part in found)
    losses, gradients, terms = exact
    plain = [(0, 0)] * len(losses)
    return shared.worst(loss, losses, plain, dtype), shared.worst(gradient, gradients, terms, dtype)


def _of_logits(loss, target, axes, options, x):
    return loss(target[axes], x[axes], from_logits=True, **options)


def rows(dtype):
    """Yield each case: its name, our errors (loss, gradient), and Keras's, None where it has none.

    Each is the worst of all families.
    """
    for (like, name), (loss, options, theirs) in CASES.items():
        target = shared.LOSSES[like][0][name][0].numpy()
        axes = (..., None) if loss == "binary_crossentropy" else ()
        worst = []
        for module in (pk, keras.losses)[: 1 + theirs]:
            loss_of = partial(_of_logits, getattr(module, loss), target, axes, options)
            with mpmath.workdps(60):
                families = shared.reference(like, name, dtype).values()
                found = [errors(loss_of, x, exact, dtype) for x, exact, _ in families]
            worst.append(tuple(map(max, zip(*found, strict=True))))
        yield loss, name, worst[0], (*worst[1:], None)[0]


def table():
    """Return the figures as lines of a table of Markdown."""
    lines = []
    for dtype in DTYPES:
        kind = str(dtype).removeprefix("torch.")
        for loss, name, ours, theirs in rows(dtype):
            (a, c), (b, d) = (
                [f"{v:.2g}" for v in found] if found else ["", ""] for found in (ours, theirs)
            )
            lines.append(f"| `{loss}`, {name} | {BACKEND} | {kind} | {a} | {b} | {c} | {d} |")
    return "\n".join(lines)
