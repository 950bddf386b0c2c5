"""Labels are no class of the outputs, or no probability.

## What it does
Looks for class indices below 0 or above C − 1 that are not left out, and for targets of a sigmoid
that are whole numbers outside of [0, 1], such as −1 and 1, or 255.

## Why it matters
Labels that count from 1 have an index that no output has. On a CPU most frameworks say so. On an
accelerator torch ends the process with an error of the device, and TensorFlow gives NaN. optax
gives NaN for a class that is too high, and takes −1 for the last class. A binary loss of logit x
and target −1 is softplus(x) + x, which has no least value: at x = −10 it is −10.000, and training
runs away.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7], [0.3, -0.4, 1.5]])
check(logits, [1, 2, 3], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7], [0.3, -0.4, 1.5]])
check(logits, [0, 1, 2], loss="cross_entropy")
```

## Fix safety
No fix: where the labels come from is not seen here.

## Sources
- https://github.com/pytorch/pytorch/issues/43840
- https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import first_row
from plogq.doctor.values import Values

PIXEL = 255  # what white is in an image of 8 bits


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where a label is outside of its range."""
    if values.loss.of == "softmax" and values.labels is not None:
        yield from _indices(values)
    elif values.loss.of == "sigmoid":
        yield from _of_sigmoid(values)


def _indices(values: Values) -> Iterator[Finding]:
    y = values.target.reshape(-1)
    counts = np.ones(len(y), bool) if values.ignored is None else y != values.ignored
    bad = counts & ((y < 0) | (y >= values.classes))
    if not bad.any():
        return
    low, high = int(y[counts].min()), int(y[counts].max())
    fix = "hand over indices from 0, or say which label is left out (ignore_index)"
    if low == 1 and high == values.classes:
        fix = "count from 0: target − 1"
    yield Finding(
        where=Place("target", row=first_row(bad.reshape(values.target.shape))),
        evidence=(
            f"labels outside of [0, {values.classes}): {bad.sum():,} of {len(y):,}, the first is "
            f"{int(y[bad][0])}",
            f"the labels are from {low} to {high}",
        ),
        confidence="certain",
        because="There is no output for such a class.",
        fix=fix,
    )


def _of_sigmoid(values: Values) -> Iterator[Finding]:
    y = values.target.reshape(-1)
    if y.size == 0 or not np.isfinite(y).all() or (y % 1 != 0).any():
        return
    bad = (y < 0) | (y > 1)
    if not bad.any():
        return
    low, high = y.min(), y.max()
    fix = "hand over targets of 0 and 1"
    if low == -1 and high == 1 and (np.abs(y) == 1).all():
        fix = "hand over (target + 1) / 2"
    elif low == 0 and high == PIXEL:
        fix = "hand over target / 255"
    elif low == 1 and high == 2:
        fix = "hand over target − 1"
    yield Finding(
        where=Place("target", row=first_row(bad.reshape(values.target.shape))),
        evidence=(
            f"targets outside of [0, 1]: {bad.sum():,} of {y.size:,}, the first is {y[bad][0]:g}",
            f"the targets are from {low:g} to {high:g}",
        ),
        confidence="certain",
        because="A target of a sigmoid is a probability.",
        fix=fix,
    )
