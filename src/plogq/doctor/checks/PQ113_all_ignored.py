"""No row counts: all are ignored, masked, or of weight 0.

## What it does
Looks for targets that are all `ignore_index` (`ignore_class` in Keras), for classes whose `weight`
is 0 in every row, for a `where` or `mask` that is false everywhere, and for distributions that are
0 everywhere.

## Why it matters
A mean over nothing is 0 / 0. torch's loss is then NaN, and one such batch turns every parameter
into NaN; other frameworks say 0, which looks like a perfect batch.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7]])
check(logits, [-100, -100], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7]])
check(logits, [-100, 1], loss="cross_entropy")
```

## Fix safety
No fix: why nothing is left is not seen here.

## Sources
- https://github.com/pytorch/pytorch/issues/75181
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where nothing is left to take the mean of."""
    evidence = _all_left_out(values)
    if evidence:
        yield Finding(
            where=Place("target"),
            evidence=(evidence,),
            confidence="certain",
            because="The mean is over no row.",
            fix="skip such a batch, or divide by the sum over several batches",
        )


def _all_left_out(values: Values) -> str:
    y = values.target
    mask = values.options.get("mask", values.options.get("where"))
    if mask is not None and np.size(mask) and not np.any(mask):
        return f"the mask is false in all {np.size(mask):,} places"
    if values.labels is not None and y.size:
        if values.ignored is not None and (y == values.ignored).all():
            return f"labels that are {values.ignored}, which is left out: {y.size:,} of {y.size:,}"
        weight = values.options.get("weight")
        if weight is not None and np.size(weight) == values.classes:
            known = values.truth[values.truth >= 0]
            if len(known) and not np.asarray(weight, dtype=float)[known].any():
                return f"the weight of every class that is there is 0, in all {len(known):,} rows"
        return ""
    t = values.distributions
    softmax = values.loss.of in ("softmax", "distributions") and values.classes > 1
    if softmax and t is not None and t.size and values.target.dtype.kind == "f" and not t.any():
        return f"rows of the target that are 0 everywhere: {len(t):,} of {len(t):,}"
    return ""
