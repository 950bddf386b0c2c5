"""Labels that can be several meet the cross-entropy of a softmax.

## What it does
Looks for targets of 0 and 1 under a loss of a softmax, with two or more 1s in a row.

## Why it matters
The classes of a softmax share one probability: with k labels each gets 1/k at best, and the loss
is k ln k at least: 1.386 nats for 2 labels, 3.296 for 3. Rows with many labels also count more.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 1.5], [0.1, 1.2, -0.7]])
check(logits, np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 1.5], [0.1, 1.2, -0.7]])
target = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Fix safety
No fix: whether labels exclude each other is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import are_hot
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where a row of the target has several 1s."""
    t = values.distributions
    if values.loss.of != "softmax" or values.classes < 2 or t is None or not are_hot(t):
        return
    labels = t.sum(axis=1)
    several = labels > 1
    if not several.any():
        return
    floor = np.where(labels > 0, labels * np.log(np.maximum(labels, 1)), 0).mean()
    yield Finding(
        where=Place("target", row=values.first(several)),
        evidence=(
            f"rows with several labels: {several.sum():,} of {len(t):,}, up to {labels.max():.0f}",
        ),
        confidence="certain",
        because="A distribution does not sum to 2 or more.",
        fix="use binary cross-entropy of logits, or divide each row of the target by its sum",
        cost=Cost(float(floor), "the least loss with these targets, the mean of k ln k"),
    )
