"""The class that is left out is one of the classes.

## What it does
Looks for rows with the label `ignore_index` (`ignore_class` in Keras), where that is the index of
an output. Padding is no mistake: labels (B, T) in which it only stands at the ends of rows, or
labels in one row of which it comes in long runs, are passed over.

## Why it matters
Every row of this class is left out. The model is never told of it, and its share of the
probability is what the other classes' rows leave. With 10 classes of equal size, a tenth of the
rows is gone.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7], [0.3, -0.4, 1.5], [1.1, 0.2, 0.4]])
check(logits, [0, 1, 2, 0], loss="cross_entropy", ignore_index=0)
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[2.0, -1.0, 0.5], [0.1, 1.2, -0.7], [0.3, -0.4, 1.5], [1.1, 0.2, 0.4]])
check(logits, [0, 1, 2, 0], loss="cross_entropy", ignore_index=-100)
```

## Fix safety
No fix: whether the class counts is known to you alone.

## Sources
- https://github.com/pytorch/pytorch/issues/63004
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import Array, first_row
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where rows of a class are left out that do not look like padding."""
    ignored = values.ignored
    if values.labels is None or ignored is None or not 0 <= ignored < values.classes:
        return
    out = values.target == ignored
    if not out.any() or out.all() or _is_padding(out):
        return
    flat = out.reshape(-1)
    yield Finding(
        where=Place("target", row=first_row(out)),
        evidence=(
            f"rows with the label {ignored}, which is left out: {flat.sum():,} of {flat.size:,}",
            f"it is one of the {values.classes:,} classes",
        ),
        confidence="likely",
        because="The rows that are left out do not stand where padding stands.",
        fix="leave out a label that no class has: ignore_index=-100",
    )


def _is_padding(out: Array) -> bool:
    """Return whether what is left out stands where padding stands.

    In labels of two axes or more, that is at one end of each sequence. Of one axis, sequences may
    have been joined, and padding follows padding: of a row that is left out, the next one is left
    out, too, with a chance that is nearer to 1 than to the share of such rows.
    """
    if out.ndim == 2 and out.shape[1] > 1:
        steps = np.diff(out.astype(np.int8), axis=1)
        return bool((steps >= 0).all() or (steps <= 0).all())
    if out.ndim > 1 or len(out) < 2:
        return False
    before = out[:-1]
    again = out[1:][before].mean() if before.any() else 0.0
    return bool(again > (1 + out.mean()) / 2)
