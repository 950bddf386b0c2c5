"""Cross-entropy is asked of a target that is a measured number.

## What it does
Looks for targets with fractions outside of [0, 1] under a loss of classes or of probabilities, and
for rows of targets, as many as outputs, that have numbers below 0.

## Why it matters
Cross-entropy takes a target as a probability, or as a class. With the target 2.5, the loss of a
logit x is softplus(x) − 2.5 x, which falls without end: at x = 10 it is −15.000 already.

## Example
```python
import numpy as np
from plogq.doctor import check

outputs = np.array([[1.2], [0.4], [2.2]])
prices = np.array([[1.35], [0.5], [2.75]])
check(outputs, prices, loss="binary_cross_entropy_with_logits")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

outputs = np.array([[1.2], [0.4], [2.2]])
prices = np.array([[1.35], [0.5], [2.75]])
check(outputs, prices, loss="mse_loss")
```

## Fix safety
No fix: whether classes or numbers are meant is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import first_row, tolerance
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where the target is no probability and no class."""
    y, of = values.target, values.loss.of
    if of not in ("softmax", "sigmoid") or y.dtype.kind != "f" or y.size == 0:
        return
    slack = tolerance(values.target_dtype)
    outside = np.isfinite(y) & ((y < -slack) | (y > 1 + slack))
    fractions = (y % 1 != 0) & np.isfinite(y)
    if of == "softmax" and y.shape == values.outputs.shape and y.ndim > 1:
        found = bool((y < -slack).any())  # weights of classes may be above 1, not below 0
    else:
        found = bool(outside.any() and fractions.any())
        if of == "softmax" and values.classes > 1:  # one for each row: no class has a fraction
            found = bool(fractions.any()) and y.ndim < values.outputs.ndim
    if not found:
        return
    bad = outside if outside.any() else fractions
    yield Finding(
        where=Place("target", row=first_row(bad)),
        evidence=(
            f"the target goes from {np.nanmin(y):.4g} to {np.nanmax(y):.4g}, with fractions",
            f"numbers that are no probability and no class: {bad.sum():,} of {y.size:,}",
        ),
        confidence="certain",
        because="A class is a whole number, and a probability is in [0, 1].",
        fix="use a loss of numbers, such as squared error, or make classes of the target",
    )
