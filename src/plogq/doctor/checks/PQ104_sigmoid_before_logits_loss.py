"""Probabilities go into a loss that applies the sigmoid itself.

## What it does
Looks for outputs that are all in [0, 1] under a loss that applies a sigmoid to each of them, and
that fit the targets better as probabilities than as logits. In a training that is watched the
outputs themselves say whether a sigmoid made them, before a model has learnt anything that fits.

## Why it matters
The sigmoid of a number in [0, 1] is between 0.5 and 0.731. A perfect model pays 0.313 nats where
the target is 1 and 0.693 where it is 0, and can never say that something is unlikely.

## Example
```python
import numpy as np
from plogq.doctor import check

probabilities = np.array([0.9, 0.1, 0.8, 0.3, 0.05, 0.6, 0.2, 0.95])
target = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
check(probabilities, target, loss="binary_cross_entropy_with_logits")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([2.2, -2.2, 1.4, -0.8, -2.9, 0.4, -1.4, 2.9])
target = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Fix safety
No fix: the sigmoid is in the model, which is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import step
from plogq.doctor.values import Values

FEWEST = 7  # outputs: logits that are all positive by chance, 1 in 128
WIDE = 0.5  # logits of a weak model may well lie close together above 0
FIX = {
    "torch": "take the sigmoid out of the model, or use binary_cross_entropy",
    "keras": "take the sigmoid out of the model, or say from_logits=False",
    "table": "name the column as a probability: --probs",
}
FLOOR_OF_1, FLOOR_OF_0 = math.log1p(math.exp(-1)), math.log(2)


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where outputs in [0, 1] are better probabilities than logits."""
    x, t = values.rows, values.distributions
    if values.loss.takes != "logits" or values.loss.of != "sigmoid" or t is None:
        return
    if x.size < FEWEST or x.min() < 0 or x.max() > 1 or x.min() == x.max():
        return
    if t.min() < 0 or t.max() > 1:
        return
    least = step(values.dtype)  # a saturated sigmoid is 0 or 1, which are no logits, either
    p = np.clip(x, least, 1 - least)
    as_probabilities = -(t * np.log(p) + (1 - t) * np.log1p(-p)).mean()
    as_logits = (np.log1p(np.exp(x)) - t * x).mean()
    known = values.made_by == "sigmoid"
    if not (known or as_probabilities < as_logits):
        return
    ones = float(t.mean())
    sums = " and each row sums to 1" if values.are_probabilities else ""
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"all {x.size:,} outputs are in [0, 1]{sums}, from {x.min():.4g} to {x.max():.4g}",
            f"read as probabilities their loss is {as_probabilities:.4g}, as logits "
            f"{as_logits:.4g}",
            *(["the last function of the model is a sigmoid"] if known else []),
        ),
        confidence="certain" if known else "likely" if np.ptp(x) > WIDE else "possible",
        because="Logits that were all between 0 and 1 would call everything likely.",
        fix=FIX.get(values.framework, "take the sigmoid out of the model"),
        cost=Cost(
            ones * FLOOR_OF_1 + (1 - ones) * FLOOR_OF_0,
            "the least loss that a second sigmoid leaves, with these targets",
        ),
    )
