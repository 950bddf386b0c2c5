"""Squared error of probabilities has no gradient where the model is surely wrong.

## What it does
Looks for outputs in [0, 1] and targets 0 and 1 under a squared error that a model is trained with,
some of which are surely wrong: their gradient is less than a tenth of cross-entropy's.

## Why it matters
Through a sigmoid, the gradient of (p − y)² is 2 (p − y) p (1 − p), that of cross-entropy p − y. At
p = 0.999 and y = 0 the one is 0.002, the other 0.999: the rows that most need learning are not
learnt.

## Example
```python
import numpy as np
from plogq.doctor import check

probabilities = np.array([0.9, 0.2, 0.999, 0.7, 0.1])
check(probabilities, [1.0, 0.0, 0.0, 1.0, 0.0], loss="mse_loss")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

probabilities = np.array([0.9, 0.2, 0.999, 0.7, 0.1])
check(probabilities, [1.0, 0.0, 0.0, 1.0, 0.0], loss="binary_cross_entropy")
```

## Fix safety
No fix: another loss is another model.

## Sources
- http://neuralnetworksanddeeplearning.com/chap3.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import are_hot
from plogq.doctor.values import Values

TENTH = 0.1  # of the gradient of cross-entropy
SHARE = 0.01  # of the outputs: labels are wrong about as often


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where rows are wrong and have next to no gradient."""
    p, y = values.rows, values.distributions
    if values.loss.of != "numbers" or values.name == "brier_score_loss" or y is None:
        return  # the Brier score judges, and trains nothing
    if p.size == 0 or p.min() < 0 or p.max() > 1 or not are_hot(y) or are_hot(p):
        return
    stuck = (np.abs(p - y) > 0.5) & (2 * p * (1 - p) < TENTH)
    if stuck.mean() < SHARE:
        return
    worst = np.abs(p - y).max()
    yield Finding(
        where=Place("outputs", row=values.first(stuck.any(axis=1))),
        evidence=(
            f"outputs that are surely wrong: {stuck.sum():,} of {p.size:,}",
            f"the worst is wrong by {worst:.4g}",
            f"its gradient is {2 * worst * worst * (1 - worst):.2g}, cross-entropy's {worst:.3g}",
        ),
        confidence="likely",
        because="Outputs in [0, 1] beside targets 0 and 1 come of a sigmoid or a softmax.",
        fix="use cross-entropy of the logits",
    )
