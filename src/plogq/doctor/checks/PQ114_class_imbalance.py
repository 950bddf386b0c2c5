"""The loss is low because one class is frequent: the model is no better than the base rates.

## What it does
Compares the loss with the base-rate entropy, which is the loss of a model that gives each class its
share of the rows, where that entropy is at most half of ln C. A loss that is lower by less than its
standard error is no better.

## Why it matters
With 1 % of the rows in the other class, a model that has learnt nothing pays 0.056 nats, and is
right in 99 % of the rows. Against ln 2 = 0.693 that looks like success.

## Example
```python
import numpy as np
from plogq.doctor import check

target = np.array(5 * [1.0] + 195 * [0.0])
logits = np.where(np.arange(200) % 2, -3.2, -3.8)
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

target = np.array(5 * [1.0] + 195 * [0.0])
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

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import standard_error, step
from plogq.doctor.values import Values

# Rows for each class that is there: the entropy of the shares of K classes in N rows is too low by
# about (K − 1) / (2 N), which is then at most 1/20 nat.
FEWEST = 10
RARE = 5  # rows of the other classes: with fewer, one of them decides the loss
# A model that is no better than the base rates is better by more than one standard error in one
# sample of six, and one that gets a single row of a rare class right in nearly all.
IMBALANCED = 0.5  # of ln C: the base rates then know half of what there is to know


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where classes are unequal, and the loss is not below their entropy."""
    scored = values.scored
    if scored is None or values.at_start:
        return
    counts = np.bincount(scored.truth, minlength=scored.log_q.shape[1])
    rare = len(scored.truth) - counts.max()
    if len(scored.truth) < FEWEST * np.count_nonzero(counts) or rare < RARE:
        return
    base, loss = scored.base_rate_entropy, float(scored.losses.mean())
    uniform = math.log(scored.log_q.shape[1])
    more = scored.losses + np.log(counts / counts.sum())[scored.truth]
    error = max(standard_error(more), step(values.dtype))
    if not 0 < base <= IMBALANCED * uniform or not -error <= more.mean() < math.inf:
        return
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"the loss of {len(scored.truth):,} rows is {loss:.4g} nats, ln C is {uniform:.4g}",
            f"always giving each class its share would cost {base:.4g}",
        ),
        confidence="certain" if loss - base > 2 * error else "likely",
        because=f"The standard error of the difference is {error:.2g}.",
        fix="compare losses with the base-rate entropy; look at each class apart",
        cost=Cost.if_any(loss - base, "the loss, less the base-rate entropy"),
    )
