"""Most of a smoothed loss is its floor.

## What it does
With `label_smoothing`, compares the loss with the least that it can be, the entropy of the smoothed
target, and speaks where that is half of it or more.

## Why it matters
A smoothed loss cannot come near 0: for ε = 0.1 its floor is 0.199 nats with 2 or 0.500 with 10
classes, and 1.015 with 1,000. It looks bad, and a model looks worse than one trained without. Only
what is above the floor can be learnt.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[3.9, -0.4, 0.1], [-0.2, 4.1, 0.3], [0.2, 0.1, 4.0]])
check(logits, [0, 1, 2], loss="cross_entropy", label_smoothing=0.1)
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[3.9, -0.4, 0.1], [-0.2, 4.1, 0.3], [0.2, 0.1, 4.0]])
check(logits, [0, 1, 2], loss="cross_entropy", label_smoothing=0.0)
```

## Fix safety
No fix: to train with smoothing is no mistake; to judge by it is.

## Sources
- https://arxiv.org/abs/1906.02629
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import entropy
from plogq.doctor.values import Values

MOST = 0.5  # of the loss


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where at least half of a smoothed loss cannot be learnt away."""
    scored, smoothing = values.scored, float(values.options.get("label_smoothing", 0.0))
    if scored is None or not smoothing:
        return
    classes = scored.log_q.shape[1]
    target = np.full((1, classes), smoothing / classes)
    target[0, 0] += 1 - smoothing
    floor = float(entropy(target)[0])
    plain = scored.losses
    smoothed = float(((1 - smoothing) * plain - smoothing * scored.log_q.mean(axis=1)).mean())
    if not floor >= MOST * smoothed:  # also where the loss is infinite
        return
    yield Finding(
        where=Place("label_smoothing"),
        evidence=(
            f"of the loss, {smoothed:.4g} nats, {floor:.4g} are the floor of ε = {smoothing:g}",
            f"without smoothing the loss is {plain.mean():.4g}",
        ),
        confidence="certain",
        because="The floor is the entropy of the smoothed target, which no model goes below.",
        fix="judge by the loss without smoothing, or by what is above the floor",
        cost=Cost(floor, "the entropy of the smoothed target"),
    )
