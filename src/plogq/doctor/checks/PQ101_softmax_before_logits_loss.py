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
- https://github.com/Lightning-Universe/lightning-bolts/issues/654
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import log_softmax
from plogq.doctor.values import Values

# A sum of numbers near 1 is as near to 1 as rounding leaves it about once in a thousand rows.
CERTAIN_ROWS = 3
FIX = {
    "torch": "take the softmax out of the model, or use nll_loss of log-probabilities",
    "keras": "take the softmax out of the model, or say from_logits=False",
    "table": "name the columns as probabilities: --probs",
}


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where every row is a distribution, which logits are not by chance."""
    loss, rows = values.loss, len(values.rows)
    if loss.takes != "logits" or loss.of != "softmax" or not values.are_probabilities:
        return
    floor = math.log(values.classes - 1 + math.e) - 1
    evidence = [
        f"rows of 0 or more that sum to 1: {rows:,} of {rows:,}",
        f"under a second softmax a perfect model has the loss {floor:.3f}, not 0",
    ]
    twice = values.read_as(log_softmax(values.rows))
    once = values.read_as(np.log(values.rows))
    if twice is not None and once is not None:
        evidence.append(
            f"the loss is {twice.losses.mean():.4g}; of the same probabilities, taken as they "
            f"are, it is {once.losses.mean():.4g}"
        )
    yield Finding(
        where=Place("outputs"),
        evidence=tuple(evidence),
        confidence="certain" if rows >= CERTAIN_ROWS else "likely",
        because="Rows of logits do not sum to 1 by chance.",
        fix=FIX.get(values.framework, "take the softmax out of the model"),
        cost=Cost(floor, "the least loss that a second softmax leaves, ln(C − 1 + e) − 1"),
    )
