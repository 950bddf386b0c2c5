"""Outputs, or the target, are not finite.

## What it does
Looks for NaN and +infinity in the outputs and the target, and names the first place; for rows whose
outputs are all −infinity; and for true classes whose output is −infinity. Otherwise −infinity is a
masked class, and no mistake.

## Why it matters
One NaN in one row makes the mean of the batch NaN, and then every parameter. A true class that is
masked costs infinitely much, with the same end. The loss itself does not say which row it was.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, np.nan, -0.7]])
check(logits, [0, 1], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -np.inf]])
check(logits, [0, 1], loss="cross_entropy")
```

## Fix safety
No fix: where the number comes from is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/autograd.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import Array
from plogq.doctor.values import Values

CHUNK = 1 << 20  # numbers that are looked at in one go


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding for the outputs, for the target, and for rows that are masked."""
    for name, x in (("outputs", values.outputs), ("target", values.target)):
        count, place = _not_finite(x)
        if place is not None:
            at = ", ".join(map(str, place))
            yield Finding(
                where=Place(name, row=place[0] if place else None),
                evidence=(
                    f"numbers that are NaN or infinite: {count:,} of {x.size:,}",
                    f"the first is {x[place]} at [{at}]",
                ),
                confidence="certain",
                because="The loss of such a row is not finite, and so is the mean.",
                fix="look for the step before which they are finite; leave such rows out",
            )
    yield from _masked(values)


def _not_finite(x: Array) -> tuple[int, tuple[int, ...] | None]:
    """Return how many numbers are NaN or +infinity, and the place of the first."""
    count, first = 0, None
    flat = x.reshape(-1) if x.flags.c_contiguous else x.ravel()
    for start in range(0, flat.size, CHUNK):
        part = flat[start : start + CHUNK]
        bad = np.isnan(part) | np.isposinf(part)
        if first is None and bad.any():
            first = tuple(map(int, np.unravel_index(start + int(np.argmax(bad)), x.shape)))
        count += int(bad.sum())
    return count, first


def _masked(values: Values) -> Iterator[Finding]:
    """Yield a finding where the class that is true has the output −infinity."""
    known = values.truth >= 0
    if values.classes < 2 or values.loss.takes == "probabilities" or not known.any():
        return
    x, truth = values.rows[known], values.truth[known]
    if values.loss.of != "softmax":
        return
    bad = np.isneginf(np.take_along_axis(x, truth[:, None], axis=1)[:, 0])
    if bad.any():
        whole = np.isneginf(x).all(axis=1).sum()
        yield Finding(
            where=Place("outputs", row=int(values.row[known][np.argmax(bad)])),
            evidence=(
                f"true classes with the output −infinity: {bad.sum():,} of {len(x):,}",
                *([f"rows in which every output is −infinity: {whole:,}"] if whole else []),
            ),
            confidence="certain",
            because="The loss of such a row is infinite.",
            fix="mask no class that can be true; a finite least logit, such as −30, costs 30 nats",
        )
