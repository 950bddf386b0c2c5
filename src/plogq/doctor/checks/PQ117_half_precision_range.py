"""A number leaves the range of half precision.

## What it does
Looks, in float16 and bfloat16, for outputs that are infinite or next to it, for a sum of losses
beyond the largest number, and for class indices in a type that cannot hold them.

## Why it matters
The largest number of float16 is 65,504, and 2,048 + 1 is 2,048 there (in bfloat16, 256 + 1 is
256). A sum of 30,000 losses of 2.3 nats is 69,000: infinite. Class 2,049 as float16 is class 2,048.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[60000.0, -1.0, 0.5], [0.1, 1.2, -0.7]]).astype(np.float16)
check(logits, [0, 1], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[7.0, -1.0, 0.5], [0.1, 1.2, -0.7]]).astype(np.float16)
check(logits, [0, 1], loss="cross_entropy")
```

## Fix safety
No fix: where the numbers come from is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/amp.html
- https://en.wikipedia.org/wiki/Half-precision_floating-point_format
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import first_row
from plogq.doctor.values import Values
from plogq.formulas.arrays import EPS

LARGEST = 65_504.0  # of float16; bfloat16 goes as far as float32
NEAR = 0.5  # of the largest: the sum of two such numbers is infinite


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding for outputs, for their sum, and for the target."""
    if values.dtype == "float16":
        yield from _outputs(values)
        yield from _sum(values)
    if values.target_dtype in ("float16", "bfloat16") and values.target.size:
        yield from _indices(values)


def _outputs(values: Values) -> Iterator[Finding]:
    x = values.outputs
    if max(np.fmax.reduce(x, axis=None), -np.fmin.reduce(x, axis=None)) <= NEAR * LARGEST:
        return  # found without a copy
    bad = np.isposinf(x) | (np.abs(np.where(np.isfinite(x), x, 0)) > NEAR * LARGEST)
    if bad.any():
        yield Finding(
            where=Place("outputs", row=first_row(bad)),
            evidence=(f"outputs beyond half of 65,504: {bad.sum():,} of {x.size:,}",),
            confidence="certain",
            because="float16 has nothing above 65,504 but infinity.",
            fix="compute the last layer and the loss in float32",
        )


def _sum(values: Values) -> Iterator[Finding]:
    if values.options.get("reduction") != "sum" or values.scored is None:
        return
    share = values.rows_in_all / len(values.rows)
    total = float(values.scored.losses.sum()) * share
    if LARGEST < total < np.inf:
        yield Finding(
            where=Place("outputs"),
            evidence=(f"the losses of {values.rows_in_all:,} rows sum to {total:,.0f}",),
            confidence="certain",
            because="float16 has nothing above 65,504 but infinity.",
            fix="take the mean, or give the loss float32: outputs.float()",
        )


def _indices(values: Values) -> Iterator[Finding]:
    y = values.target
    most = 2 / EPS[values.target_dtype]  # up to here, whole numbers are told apart
    whole = np.isfinite(y).all() and (y % 1 == 0).all()
    if whole and np.abs(y).max() >= most:
        yield Finding(
            where=Place("target", row=first_row(np.abs(y) >= most)),
            evidence=(f"whole numbers up to {np.abs(y).max():,.0f} as {values.target_dtype}",),
            confidence="certain",
            because=f"{values.target_dtype} cannot tell {most:,.0f} from the number behind it.",
            fix="keep class indices and counts as integers",
        )
