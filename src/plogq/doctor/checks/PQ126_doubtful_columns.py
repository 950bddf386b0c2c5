"""The columns of a table may not hold what they were taken for.

## What it does
Passes on what the reader of a table asks about its first rows: whether numbers are on another
scale, such as percents or cosines; whether a column is no class, or stands there twice; whether
rows are sorted; whether classes, labels and columns are in one order. And says why a score would
refuse the predictions.

## Why it matters
Every figure of a score is right for what the columns were taken for, and wrong for what they are.
A class whose column stands in the place of another's is charged as a mistake in every row.

## Example
```python
import numpy as np
from plogq.doctor import check_table

labels = [0, 1, 2, 0, 1, 2, 0, 1, 2]
logits = 3.0 * np.eye(3)[[1, 0, 2, 1, 0, 2, 1, 0, 2]] - 1.0
check_table({"logits": logits + 0.1 * np.arange(9)[:, None], "labels": labels})
```

## Use instead
```python
import numpy as np
from plogq.doctor import check_table

labels = [0, 1, 2, 0, 1, 2, 0, 1, 2]
logits = 3.0 * np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1, 2]] - 1.0
check_table({"logits": logits + 0.1 * np.arange(9)[:, None], "labels": labels})
```

## Fix safety
No fix: what the columns hold is known to you alone.

## Sources
- https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding for why a score refuses the table, and for each question of its reader."""
    if values.refused:
        yield Finding(
            where=Place("outputs"),
            evidence=(values.refused,),
            confidence="certain",
            because="A score refuses the table.",
            fix="name the columns as what they are: --logits, --logprobs or --probs",
        )
    for doubt in dict.fromkeys(values.doubts):
        yield Finding(
            where=Place("outputs"),
            evidence=(doubt,),
            confidence="possible",
            because="The numbers of the first rows look like something else.",
            fix="answer the question, and name the columns if it is so",
        )
