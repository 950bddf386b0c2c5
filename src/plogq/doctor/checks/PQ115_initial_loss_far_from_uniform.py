"""The loss before training is far from ln C.

## What it does
With `at_start=True`, compares the loss with ln C, which is that of a model that knows nothing, and
with the base-rate entropy, which an output layer whose bias is set to the base rates begins at.

## Why it matters
An untrained model should know nothing: 2.303 nats for 10 classes, 6.908 for 1,000. Logits of
standard deviation s at random cost about s² / 2 more: 50 nats where s is 10. The first epochs are
then spent on shrinking them. A loss far below says that the labels are in the inputs.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = 10 * np.random.default_rng(0).normal(size=(64, 10))
target = np.arange(64) % 10
check(logits, target, loss="cross_entropy", at_start=True)
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = 0.1 * np.random.default_rng(0).normal(size=(64, 10))
target = np.arange(64) % 10
check(logits, target, loss="cross_entropy", at_start=True)
```

## Fix safety
No fix: the model's initial values are not seen here.

## Sources
- https://karpathy.github.io/2019/04/25/recipe/
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.values import Values

# Usual initial values give logits a variance of at most 1, and so at most 1/2 nat more than ln C.
SLACK = 0.5
ERRORS = 3  # standard errors of the loss
FEWEST = 10  # rows, of which a standard error can be told


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where an untrained model's loss is none of an untrained model."""
    scored = values.scored
    if not values.at_start or scored is None or len(scored.truth) < FEWEST:
        return
    loss, uniform = float(scored.losses.mean()), math.log(scored.log_q.shape[1])
    slack = SLACK + ERRORS * scored.standard_error
    least = min(uniform, scored.base_rate_entropy)
    if math.isnan(loss) or least - slack <= loss <= uniform + slack:
        return
    high = loss > uniform
    yield Finding(
        where=Place("outputs"),
        evidence=(f"the loss is {loss:.4g} nats, ln {scored.log_q.shape[1]} is {uniform:.4g}",),
        confidence="likely",
        because="Logits of variance 1 or less cost at most half a nat more than ln C, about.",
        fix="make the last layer's initial weights smaller" if high
        else "look for the labels in the inputs; is the model untrained?",
        cost=Cost.if_any(loss - uniform, "the loss, less ln C"),
    )  # fmt: skip
