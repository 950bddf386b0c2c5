"""The classes are read along the wrong axis.

## What it does
Looks for outputs of three axes or more whose classes lie elsewhere than the loss reads them (torch:
axis 1; Keras and optax: the last), by the shape of the target, or, where both axes are as long, by
which of them the outputs fit. Also for probabilities or log-probabilities that sum to 1 over
another axis, as softmax(dim=0) leaves them.

## Why it matters
With B sequences of T tokens and C = T classes, nothing refuses (B, T, C) where (B, C, T) is meant:
the softmax is then over the tokens. And a softmax over the rows of a batch makes rows compete: a
perfect model of 64 rows in 2 equal classes can give each row 1/32, and pays 3.466 nats.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[[2.0, -1.0], [0.1, 1.2], [0.3, -0.4]]])  # (B, T, C)
check(logits, [[0, 1, 0]], loss="cross_entropy", framework="torch")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[[2.0, -1.0], [0.1, 1.2], [0.3, -0.4]]])
check(np.moveaxis(logits, -1, 1), [[0, 1, 0]], loss="cross_entropy", framework="torch")
```

## Fix safety
No fix: which axis is meant is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from plogq.doctor.finding import Confidence, Cost, Finding, Place
from plogq.doctor.readings import log_softmax, standard_error
from plogq.doctor.values import MOST_OUTPUTS, Values

ERRORS = 4  # standard errors that one axis must fit better by; small batches have heavy tails


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where another axis than the loss's is that of the classes."""
    loss, x, y = values.loss, values.outputs, values.target
    if loss.of != "softmax" or x.ndim < 2:
        return
    axis = values.axis
    elsewhere = values.normalised_elsewhere
    if elsewhere is not None and len(values.rows) > 1 and values.classes > 1:
        yield _finding(
            values, elsewhere, f"the outputs sum to 1 over axis {elsewhere}, not over axis {axis}",
            "certain", "Numbers do not sum to 1 over an axis by chance.",
        )  # fmt: skip
        return
    other = 1 if axis == x.ndim - 1 else x.ndim - 1
    if x.ndim < 3 or loss.targets == "distributions" or y.dtype.kind not in "iu":
        return
    here, there = (x.shape[:at] + x.shape[at + 1 :] for at in (axis, other))
    if y.shape == there != here:
        yield _finding(
            values, other, f"outputs {x.shape} and target {y.shape} fit over axis {other}, not "
            f"over axis {axis}", "certain", "The target has an index for each place of the others.",
        )  # fmt: skip
    elif y.shape == here == there and x.size <= MOST_OUTPUTS and other != axis:
        yield from _by_loss(values, other)


def _by_loss(values: Values, other: int) -> Iterator[Finding]:
    """Yield a finding where the losses over the other axis are lower by more than chance."""
    if values.loss.takes != "logits":
        return
    swapped = replace(values, outputs=values.outputs.swapaxes(values.axis, other))
    known = (values.truth >= 0) & (swapped.truth >= 0) if _all_rows(values, swapped) else None
    as_is, moved = (each.read_as(log_softmax(each.rows)) for each in (values, swapped))
    if known is None or as_is is None or moved is None:
        return
    more = as_is.losses - moved.losses
    if more.mean() > ERRORS * standard_error(more):
        cost = Cost(float(more.mean()), f"the loss as it is, less that over axis {other}")
        yield _finding(
            values, other, f"over axis {other} the loss is {moved.losses.mean():.4g}, over axis "
            f"{values.axis} it is {as_is.losses.mean():.4g}", "likely",
            "Both axes are as long, and the labels fit the other one better.", cost,
        )  # fmt: skip


def _all_rows(*several: Values) -> bool:
    return all(len(values.row) == values.rows_in_all for values in several)


def _finding(
    values: Values, axis: int, evidence: str, sure: Confidence, because: str,
    cost: Cost | None = None,
) -> Finding:  # fmt: skip
    fix = f"take the softmax over axis {values.axis}"
    if values.outputs.ndim > 2:
        fix = (
            f"move the classes: outputs.movedim({axis}, {values.axis}) of a tensor, or np.moveaxis"
        )
    return Finding(Place("outputs"), (evidence,), sure, because, fix, cost)
