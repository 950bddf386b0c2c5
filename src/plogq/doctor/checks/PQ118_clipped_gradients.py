"""Probabilities are clipped, and where they are there is no gradient.

## What it does
Looks, under a loss of probabilities, for the probability of a true class that is at or below what
the loss cuts it to, or at a power of ten at which the outputs were cut before. Also for an `eps`
below what the type of the outputs can tell from 0 beside 1.

## Why it matters
A clipped probability has the gradient 0, in just the rows that are most wrong. Keras cuts at 1e-7:
a true class of probability 0 costs 16.118 nats, not infinity, and teaches nothing. And an eps that
is too small does nothing: in float32, 1 − 1e-15 is 1, and log(1 − p) is still −infinity.

## Example
```python
import numpy as np
from plogq.doctor import check

probabilities = np.clip([[1.0, 0.0], [0.2, 0.8], [0.0, 1.0]], 1e-7, 1 - 1e-7)
check(probabilities, [1, 1, 1], loss="sparse_categorical_crossentropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[9.0, -9.0], [-0.7, 0.7], [-9.0, 9.0]])
check(logits, [1, 1, 1], loss="sparse_categorical_crossentropy", from_logits=True)
```

## Fix safety
No fix: the logits are not seen here.

## Sources
- https://keras.io/api/losses/probabilistic_losses/
- https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import Array, step
from plogq.doctor.values import Values

FIX = {
    "numpy": "judge by logits or log-probabilities, where the model has them",
    "table": "score logits or log-probabilities, or name a least probability: --floor",
}
POWERS = tuple(10.0**-k for k in range(3, 17))  # what people cut probabilities to


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where the probability of what is true was cut, or cannot be."""
    if values.loss.takes != "probabilities" or values.loss.of not in ("softmax", "sigmoid"):
        return
    eps = float(values.options.get("eps", 0.0))
    if 0 < eps < step(values.dtype) / 4:  # then 1 − eps is 1: half a step below 1 is halved again
        yield Finding(
            where=Place("eps"),
            evidence=(f"1 − {eps:g} is 1 in {values.dtype}",),
            confidence="certain",
            because=f"The next number below 1 is 1 − {step(values.dtype) / 2:.2g}.",
            fix=f"say eps={step(values.dtype):.2g}, or use a loss of logits",
        )
    scored = values.scored
    if scored is None:
        return
    p = np.exp(-scored.losses)
    least = _least(values, max(eps, values.loss.eps))
    cut = p <= least
    if cut.any():
        at = f"{least:.2g} or less" if least > 1e-40 else "0"
        yield Finding(
            where=Place("outputs", row=int(scored.row[np.argmax(cut)])),
            evidence=(
                f"true classes with a probability of {at}: {cut.sum():,} of {len(p):,}",
                f"each is charged {-math.log(least):.3f} nats, whatever the model meant"
                if least > 0
                else "each is charged infinitely much",
            ),
            confidence="certain",
            because="A clipped number has the gradient 0.",
            fix=FIX.get(values.framework, "use a loss of logits"),
        )


def _least(values: Values, eps: float) -> float:
    """Return the probability at or below which outputs were cut: the loss's own, or a power of ten.

    The number itself must be among the outputs, as the least of them.
    """
    p: Array = values.outputs
    least = float(np.nanmin(p))
    dtype = p.dtype if p.dtype.kind == "f" else np.dtype(np.float64)
    powers = [power for power in POWERS if float(dtype.type(power)) == least]
    close = 1 + 4 * step(values.dtype)  # exp(log p) is p but for rounding
    return max([eps, *powers]) * close
