"""Outputs of a softmax meet a loss of a sigmoid, or the reverse.

## What it does
Looks for two logits whose classes exclude each other under a loss that applies a sigmoid to each;
for outputs of a softmax over three classes or more under binary cross-entropy; and for outputs in
[0, 1] that do not sum to 1, as sigmoids leave them, under a categorical loss of probabilities.

## Why it matters
Two sigmoids do not know of each other, so that their probabilities of "yes" and "no" need not sum
to 1. Binary cross-entropy of a softmax also charges each class that is not the label: with the
probabilities [0.5, 0.3, 0.2] and the first class true, 1.273 nats where cross-entropy is 0.693.
And Keras divides sigmoids by their sum, in silence.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0], [0.1, 1.2], [0.3, -0.4], [1.1, 0.2]] * 2)
one_hot = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]] * 2)
check(logits, one_hot, loss="binary_cross_entropy_with_logits")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0], [0.1, 1.2], [0.3, -0.4], [1.1, 0.2]] * 2)
check(logits, [0, 1, 0, 0] * 2, loss="cross_entropy")
```

## Fix safety
No fix: which of the two is meant is not seen here.

## Sources
- https://keras.io/api/losses/probabilistic_losses/
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import are_hot, are_one_hot, tolerance
from plogq.doctor.values import Values

FEWEST = 7  # rows of two independent labels: exclusive in all by chance, 1 in 128
SHARE = 0.05  # how far from 1 a sum must be: rounding to two digits moves that of ten by 0.05


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where exclusive classes meet sigmoids, or a softmax's loss meets sigmoids."""
    loss, x, t = values.loss, values.rows, values.distributions
    if len(x) < 2 or values.classes < 2:
        return
    # Sigmoids that are all 0 or 1 sum to 1 where they are right, and are passed over.
    exclusive = t is not None and are_one_hot(t)
    rows = f"all {len(x):,} rows"
    if (
        loss.of == "sigmoid"
        and loss.takes == "logits"
        and exclusive
        and values.classes == 2
        and len(x) >= FEWEST
    ):
        evidence = f"{rows} of the target are [1, 0] or [0, 1]: the two classes exclude each other"
        because = "Two classes that exclude each other have one probability between them."
        fix = "use cross_entropy with class indices, or one logit instead of two"
    elif (
        loss.of == "sigmoid" and loss.takes == "probabilities" and exclusive
        and values.classes > 2 and values.are_probabilities and not are_hot(x)
    ):  # fmt: skip
        evidence = f"{rows} sum to 1, and {rows} of the target have one 1"
        because = "Outputs of independent sigmoids do not sum to 1 by chance."
        fix = "use categorical cross-entropy"
    elif loss.of == "softmax" and loss.takes == "probabilities" and _are_sigmoids(values):
        sums = x.sum(axis=1)
        evidence = f"{rows} are in [0, 1], and sum to {sums.min():.3g} to {sums.max():.3g}"
        because = "Probabilities of classes that exclude each other sum to 1."
        fix = "end the model in a softmax, or use binary cross-entropy where labels may be several"
    else:
        return
    yield Finding(Place("outputs"), (evidence,), "likely", because, fix)


def _are_sigmoids(values: Values) -> bool:
    x, slack = values.rows, tolerance(values.dtype)
    if x.min() < -slack or x.max() > 1 + slack or values.normalised_elsewhere is not None:
        return False
    return bool((np.abs(x.sum(axis=1) - 1) > SHARE).mean() > 0.5)  # of most rows, not of a few
