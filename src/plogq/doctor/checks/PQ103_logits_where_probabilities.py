"""Logits go into a loss of probabilities or log-probabilities, or probabilities into nll_loss.

## What it does
Looks for outputs outside of [0, 1] under a loss that takes probabilities; and under one that takes
log-probabilities, for outputs above 0 and for rows whose exponentials do not sum to 1.

## Why it matters
Keras divides each row by its sum and cuts what is left to [1e-7, 1 − 1e-7], without a word: logits
[3, −1, −1] become [3, −1, −1], and then [1, 0, 0] but for 1e-7. A wrong class is then charged
16.118 nats and has no gradient. `nll_loss` takes no logarithm: of logits it has no least value, and
of probabilities it is never below −1; the negative loss that people report.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.3, -0.4, 0.1], [-1.0, 3.2, 0.5], [0.2, 0.3, 1.9]])
check(logits, [0, 1, 2], loss="sparse_categorical_crossentropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.3, -0.4, 0.1], [-1.0, 3.2, 0.5], [0.2, 0.3, 1.9]])
check(logits, [0, 1, 2], loss="sparse_categorical_crossentropy", from_logits=True)
```

## Fix safety
No fix: whether the model or the loss is to change is not seen here.

## Sources
- https://keras.io/api/losses/probabilistic_losses/
- https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Confidence, Cost, Finding, Place
from plogq.doctor.readings import Array, log_of_shares, log_softmax, logsumexp, tolerance
from plogq.doctor.values import Values

# log(p + eps) has exponentials that sum to 1 + C · eps: 1.05 for 50,000 classes and 1e-6.
SLACK = 0.1


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where the outputs cannot be what the loss takes."""
    if values.loss.of not in ("softmax", "sigmoid") or values.rows.size == 0:
        return
    if values.loss.takes == "probabilities":
        yield from _for_probabilities(values)
    elif values.loss.takes == "log-probabilities" and values.classes > 1:
        yield from _for_log_probabilities(values)


def _for_probabilities(values: Values) -> Iterator[Finding]:
    x, slack = values.rows, tolerance(values.dtype)
    outside: Array = (x < -slack) | (x > 1 + slack)
    if not outside.any() or values.are_log_probabilities:
        return
    cost = None
    if values.framework == "keras" and values.loss.of == "softmax":
        as_is = values.read_as(log_of_shares(x, values.loss.eps))
        right = values.read_as(log_softmax(x))
        if as_is is not None and right is not None:
            difference = float(as_is.losses.mean() - right.losses.mean())
            cost = Cost.if_any(
                difference, "the loss as it is, less that of the softmax of these logits"
            )
    fix = {
        "keras": "say from_logits=True",
        "torch": "use binary_cross_entropy_with_logits",
        "numpy": "hand over the probabilities, the softmax or sigmoid of these outputs",
    }
    yield Finding(
        where=Place("outputs", row=values.first(np.any(outside, axis=1))),
        evidence=(
            f"outputs outside of [0, 1]: {outside.sum():,} of {x.size:,}, "
            f"from {x.min():.4g} to {x.max():.4g}",
        ),
        confidence="certain",
        because="A probability is never outside of [0, 1].",
        fix=fix.get(values.framework, "hand over probabilities"),
        cost=cost,
    )


def _for_log_probabilities(values: Values) -> Iterator[Finding]:
    x = values.rows
    if values.normalised_elsewhere is not None:
        return  # said by the check of axes
    above: Array = np.any(x > tolerance(values.dtype), axis=1)
    off: Array = np.abs(logsumexp(x)) > SLACK
    if values.are_probabilities:
        evidence = f"rows of 0 or more that sum to 1: {len(x):,} of {len(x):,}"
        confidence: Confidence = "certain"
        because = "Log-probabilities are never above 0."
        fix = "take their logarithm, or use log_softmax of the logits"
        where = Place("outputs")
    elif above.any() or off.any():
        bad: Array = above if above.any() else off
        what = "numbers above 0" if above.any() else "exponentials that do not sum to 1"
        evidence = f"rows with {what}: {bad.sum():,} of {len(x):,}"
        confidence = "certain" if above.any() else "likely"
        because = (
            "Log-probabilities are never above 0." if above.any()
            else "Classes that exclude each other have probabilities that sum to 1."
        )  # fmt: skip
        fix = "use cross_entropy, or nll_loss(log_softmax(logits, dim=1), target)"
        where = Place("outputs", row=values.first(bad))
    else:
        return
    yield Finding(where, (evidence,), confidence, because, fix)
