"""Probabilities go into a loss that applies the softmax itself.

## What it does
Looks for outputs whose rows are all probabilities, of 0 or more and summing to 1, under a loss that
takes logits.

## Why it matters
The loss takes a softmax of them once more. The largest probability that C classes can then get is
e / (C − 1 + e), so that the loss of a perfect model is ln(C − 1 + e) − 1 and not 0: 0.313 nats for
2 classes, 1.461 for 10, 5.909 for 1,000. The gradient is flat there, too. Nothing warns: the loss
falls, and stops early.

## Example
```python
import numpy as np
from plogq.doctor import check

probabilities = np.array([[0.98, 0.01, 0.01], [0.05, 0.9, 0.05], [0.2, 0.1, 0.7]])
check(probabilities, [0, 1, 2], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[4.6, 0.0, 0.1], [-1.2, 1.7, -1.2], [0.3, -0.4, 1.5]])
check(logits, [0, 1, 2], loss="cross_entropy")
```

## Fix safety
No fix: the softmax is in the model, which is not seen here.

## Sources
- https://github.com/pytorch/pytorch/issues/55902
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import plogq
from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.values import Values

TOLERANCE = 1e-3  # of a sum of probabilities: that of 1,000 classes in float16 is off by less


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where every row is a distribution, which logits are not by chance."""
    x = values.outputs
    if values.loss.takes != "logits" or values.loss.of != "softmax" or x.ndim != 2 or x.size == 0:
        return
    classes = x.shape[-1]
    if classes == 1 or x.min() < 0 or np.abs(values.row_sums - 1).max() > TOLERANCE:
        return
    floor = math.log(classes - 1 + math.e) - 1
    cost = None
    if values.target.shape == x.shape[:1] and values.target.dtype.kind in "iu":
        with np.errstate(divide="ignore"):
            right = plogq.cross_entropy_from_logits(np.log(x), values.target).value.mean()
        wrong = plogq.cross_entropy_from_logits(x, values.target).value.mean()
        cost = Cost(float(wrong - right), "the loss as it is, less that of the same probabilities")
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"all {len(x):,} rows sum to 1, and nothing is below 0",
            f"under a second softmax a perfect model has the loss {floor:.3f}, not 0",
        ),
        confidence="certain" if len(x) >= 3 else "likely",
        because="Rows of logits do not sum to 1 by chance.",
        fix="take the softmax out of the model, or use nll_loss of log-probabilities",
        cost=cost,
    )
