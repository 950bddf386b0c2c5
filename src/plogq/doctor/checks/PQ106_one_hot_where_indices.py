"""One-hot rows come where class indices are meant, or the reverse, or indices as floats.

## What it does
Compares the target's shape and type with what the loss takes: class indices as integers, or a
distribution for each row.

## Why it matters
Where frameworks refuse the pair, the message speaks of shapes or types. Where they do not, the
number is wrong: optax's softmax_cross_entropy multiplies indices as if they were weights, so that
4 rows of 4 classes with the labels 0 to 3 are charged for all of each other's classes; and soft
labels that are cast to integers become 0 everywhere.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7]])
one_hot = np.array([[1, 0, 0], [0, 1, 0]])
check(logits, one_hot, loss="softmax_cross_entropy_with_integer_labels")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7]])
one_hot = np.array([[1, 0, 0], [0, 1, 0]])
check(logits, one_hot.argmax(axis=1), loss="softmax_cross_entropy_with_integer_labels")
```

## Fix safety
No fix: where the target comes from is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
- https://optax.readthedocs.io/en/latest/api/losses.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import are_one_hot
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where the target is of another kind than the loss takes."""
    loss, y = values.loss, values.target
    if loss.of != "softmax" or values.classes < 2 or y.size == 0:
        return
    said = _one_hot(values) or _indices(values)
    if said is not None:
        evidence, because, fix = said
        where = Place("target")
        yield Finding(where, (evidence,), "certain", because, fix)


def _one_hot(values: Values) -> tuple[str, str, str] | None:
    """Return what is wrong with a target that has a number for each output."""
    t, targets = values.distributions, values.loss.targets
    if t is None or t.size == 0 or targets == "distributions":
        return None
    shape = f"the target has the shape of the outputs, {values.target.shape}"
    if targets == "indices" and are_one_hot(t):
        return (
            f"{shape}, and each row has one 1", f"{values.name} takes class indices.",
            f"hand over target.argmax({values.axis})",
        )  # fmt: skip
    if values.target.dtype.kind in "iu" and values.framework == "torch" and targets == "either":
        if not t.any():
            return (
                f"{shape}, and is 0 everywhere: were distributions cast to integers?",
                "A distribution is not 0 everywhere.", "keep the target in floating point",
            )  # fmt: skip
        return (
            f"{shape}, and its type is {values.target_dtype}",
            "torch takes integers for class indices, and floats for distributions.",
            f"hand over target.argmax({values.axis}), or target.float()",
        )
    return None


def _indices(values: Values) -> tuple[str, str, str] | None:
    """Return what is wrong with a target that has a number for each row."""
    y, targets = values.target, values.loss.targets
    rows = values.outputs.shape[: values.axis] + values.outputs.shape[values.axis + 1 :]
    if y.shape != rows or (values.framework == "numpy" and values.loss.takes == "probabilities"):
        return None
    if targets == "distributions" and y.dtype.kind in "iu":
        other = {
            "keras": "use sparse_categorical_crossentropy",
            "jax": "use softmax_cross_entropy_with_integer_labels",
        }[values.framework]
        return (
            f"the target has one {values.target_dtype} for each row",
            f"{values.name} takes a distribution for each row.", other,
        )  # fmt: skip
    if targets == "distributions" or values.framework == "keras" or y.dtype.kind != "f":
        return None
    if np.isfinite(y).all() and (y % 1 == 0).all():
        return (
            f"the target holds class indices as {values.target_dtype}",
            f"{values.name} takes class indices as integers.",
            "cast the target to integers: target.long() in torch",
        )
    return None
