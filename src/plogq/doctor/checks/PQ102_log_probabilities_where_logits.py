"""Log-probabilities go into a loss of probabilities, or of a sigmoid's logits.

## What it does
Looks for rows whose exponentials sum to 1 under a loss that takes probabilities, or under one that
applies a sigmoid to each output. Log-probabilities under a loss that applies the softmax are no
mistake: the softmax gives back the same probabilities.

## Why it matters
Keras (on JAX and torch) divides each row of "probabilities" by its sum. Log-probabilities are all
negative, and so is their sum: the most probable class gets the least share. For [0.9, 0.1] the
model is charged 3.129 nats where its own loss is 0.105. A sigmoid of log p is p / (1 + p), at most
0.5: the loss of the true class of a perfect model is ln 2 = 0.693, not 0.

## Example
```python
import numpy as np
from plogq.doctor import check

log_probabilities = np.log([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
check(log_probabilities, [0, 1, 0], loss="sparse_categorical_crossentropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

log_probabilities = np.log([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
check(log_probabilities, [0, 1, 0], loss="sparse_categorical_crossentropy", from_logits=True)
```

## Fix safety
No fix: whether the model or the loss is to change is not seen here.

## Sources
- https://keras.io/api/losses/probabilistic_losses/
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import log_of_shares
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where every row holds the logarithms of a distribution."""
    loss, x = values.loss, values.rows
    softmax = loss.takes == "probabilities" and loss.of == "softmax"
    sigmoid = loss.takes == "logits" and loss.of == "sigmoid"
    # A probability of 1 among zeros is its own logarithm's row: [0, −inf] has nothing below 0 but
    # masked classes, and [0, 0] does not sum to 1.
    if not (softmax or sigmoid) or not values.are_log_probabilities:
        return
    evidence = [f"rows whose exponentials sum to 1: {len(x):,} of {len(x):,}"]
    cost = None
    if sigmoid:
        cost = Cost(math.log(2), "the least loss of a true class: sigmoid(log p) is at most 1/2")
        fix = "use a loss of log-probabilities (nll_loss), or hand over the logits"
    else:
        fix = "say from_logits=True (a softmax of log-probabilities gives back the probabilities)"
        right = values.read_as(x)
        if values.framework == "keras" and right is not None:
            wrong = values.read_as(log_of_shares(x, loss.eps))
            assert wrong is not None
            evidence.append("divided by their sum, the most probable class gets the least share")
            difference = wrong.losses.mean() - right.losses.mean()
            cost = Cost.if_any(difference, "the loss as it is, less that of the same probabilities")
        if values.framework == "numpy":
            fix = "hand over the probabilities: np.exp(log_probabilities)"
    yield Finding(
        where=Place("outputs"),
        evidence=tuple(evidence),
        confidence="certain" if len(x) > 1 else "likely",
        because="Neither probabilities nor logits have exponentials that sum to 1 by chance.",
        fix=fix,
        cost=cost,
    )
