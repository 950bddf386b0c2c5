"""A margin m was made into two logits, [−m, m], which doubles it.

## What it does
Looks for two logits of which one is minus the other in every row, and that fit the labels better
when they are halved.

## Why it matters
The softmax of [−m, m] is sigmoid(2m), not sigmoid(m). A model that says 0.9 by its margin is read
as 0.988: right or wrong, it is far too sure. [0, m] or [−m/2, m/2] are the logits of a margin.

## Example
```python
import numpy as np
from plogq.doctor import check

margin = np.linspace(-2.0, 2.0, 200)
uniform = np.random.default_rng(0).random(200)
target = (uniform < 1 / (1 + np.exp(-margin))).astype(int)
check(np.stack([-margin, margin], axis=1), target, loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

margin = np.linspace(-2.0, 2.0, 200)
uniform = np.random.default_rng(0).random(200)
target = (uniform < 1 / (1 + np.exp(-margin))).astype(int)
check(np.stack([0 * margin, margin], axis=1), target, loss="cross_entropy")
```

## Fix safety
No fix: where the logits come from is not seen here.

## Sources
- https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import log_softmax, standard_error, step
from plogq.doctor.values import Values

FEWEST = 3  # rows
ERRORS = 2  # standard errors by which half of the logits must fit better


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where logits are [−m, m] and halving them lowers the loss."""
    x, loss = values.rows, values.loss
    if loss.takes != "logits" or loss.of != "softmax" or values.classes != 2 or len(x) < FEWEST:
        return
    if not np.isfinite(x).all() or np.ptp(x[:, 1]) == 0:
        return
    if (np.abs(x.sum(axis=1)) > step(values.dtype) * np.abs(x[:, 0])).any():
        return
    as_is, half = values.read_as(log_softmax(x)), values.read_as(log_softmax(x / 2))
    if as_is is None or half is None:
        return
    more = as_is.losses - half.losses
    if not more.mean() > ERRORS * standard_error(more):
        return  # a softmax whose two rows of weights sum to 0 has such logits, too
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"in all {len(x):,} rows the second logit is minus the first",
            f"the loss is {as_is.losses.mean():.4g}; of half of the logits it is "
            f"{half.losses.mean():.4g}",
        ),
        confidence="likely",
        because="Logits that are right are not better when they are halved.",
        fix="stack [0, margin], or use a binary loss of the margin",
        cost=Cost(float(more.mean()), "the loss as it is, less that of half of the logits"),
    )
