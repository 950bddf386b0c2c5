"""The model says the same of every row.

## What it does
Looks for probabilities that are the same in all rows, to the last digits that rounding leaves,
while the labels differ. Not with `at_start=True`: a last layer may begin at 0.

## Why it matters
Such a model has learnt the shares of the classes at best, and pays their entropy at least: 0.693
nats for two classes of one size. A dead layer, a learning rate that was too high, or inputs that
are all alike leave it so, and the loss looks like one that has settled.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.tile([0.3, -0.2, 0.1], (4, 1))
check(logits, [0, 1, 2, 0], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[0.3, -0.2, 0.1], [0.1, 0.4, -0.3], [-0.5, 0.2, 0.6], [0.9, 0.1, 0.2]])
check(logits, [0, 1, 2, 0], loss="cross_entropy")
```

## Fix safety
No fix: the model is not seen here.

## Sources
- https://karpathy.github.io/2019/04/25/recipe/
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import step
from plogq.doctor.values import Values

FEWEST = 3  # rows: two inputs may be one
STEPS = 8  # of rounding, within which sums in another order differ


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where rows differ by rounding alone and labels by more."""
    scored = values.scored
    if scored is None or values.at_start or len(scored.truth) < FEWEST:
        return
    if (scored.truth == scored.truth[0]).all():
        return
    x = scored.log_q
    same = np.where(np.isfinite(x), np.abs(x - x[0]), np.where(x == x[0], 0, np.inf))
    if same.max() > STEPS * step(values.dtype) * max(1.0, float(np.abs(x[np.isfinite(x)]).max())):
        return
    loss, base = float(scored.losses.mean()), scored.base_rate_entropy
    yield Finding(
        where=Place("outputs"),
        evidence=(
            f"all {len(x):,} rows have one distribution",
            f"the loss is {loss:.4g} nats, and the entropy of the labels' shares {base:.4g}",
        ),
        confidence="certain",
        because="Rows differ by no more than rounding.",
        fix="look for a dead layer, inputs that are all alike, or weights that are not finite",
        cost=Cost.if_any(loss - base, "the loss, less the entropy of the shares of the labels"),
    )
