"""The loss is low because one class is frequent: the model is no better than the base rates.

## What it does
Compares the loss with the base-rate entropy, which is the loss of a model that gives each class its
share of the rows, where that entropy is at most half of ln C.

## Why it matters
With 1 % of the rows in the other class, a model that has learnt nothing pays 0.056 nats, and is
right in 99 % of the rows. Against ln 2 = 0.693 that looks like success.

## Example
```python
import numpy as np
from plogq.doctor import check

target = np.array([1.0] + 39 * [0.0])
logits = np.where(np.arange(40) % 2, -3.2, -3.8)
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

target = np.array([1.0] + 39 * [0.0])
logits = np.where(target == 1, 0.4, -4.5)
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Fix safety
No fix: the model must learn more than the base rates.

## Sources
- https://scikit-learn.org/stable/modules/generated/sklearn.dummy.DummyClassifier.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.values import Values

FEWEST = 20  # rows: of fewer, the shares of the classes say little
IMBALANCED = 0.5  # of ln C: the base rates then know half of what there is to know


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where classes are unequal, and the loss is not below their entropy."""
    scored = values.scored
    if scored is None or values.at_start or len(scored.truth) < FEWEST:
        return
    base, loss = scored.base_rate_entropy, float(scored.losses.mean())
    uniform = math.log(scored.log_q.shape[1])
    if not 0 < base <= IMBALANCED * uniform or not base <= loss < math.inf:
        return
    error = scored.standard_error
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"the loss of {len(scored.truth):,} rows is {loss:.4g} nats, ln C is {uniform:.4g}",
            f"always giving each class its share would cost {base:.4g}",
        ),
        confidence="certain" if loss - base > 2 * error else "likely",
        because=f"The standard error of the loss is {error:.2g}.",
        fix="compare losses with the base-rate entropy; look at each class apart",
        cost=Cost(loss - base, "the loss, less the base-rate entropy"),
    )
