"""A softmax over one output, which always gives 1.

## What it does
Looks for outputs with one class under a loss of a softmax, and for outputs that are all exactly 1
under binary cross-entropy, as a softmax over one unit leaves them.

## Why it matters
exp(x) / exp(x) is 1 for any x. Cross-entropy is then 0 in every row with no gradient: the model
seems perfect, and learns nothing. Under binary cross-entropy it says "yes" to all; Keras charges
16.118 nats for each target that is 0, and again there is no gradient.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[0.3], [-1.2], [2.0]])
check(logits, [0, 0, 0], loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.array([[0.3], [-1.2], [2.0]])
target = np.array([[1.0], [0.0], [1.0]])
check(logits, target, loss="binary_cross_entropy_with_logits")
```

## Fix safety
No fix: the model is not seen here.

## Sources
- https://keras.io/api/layers/activations/
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.values import Values

FEWEST = 2  # rows: a saturated sigmoid may well be 1 in one


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where a softmax has, or had, one output."""
    loss, x, t = values.loss, values.rows, values.distributions
    if loss.of == "softmax" and values.classes == 1:
        evidence = f"the outputs have the shape {values.outputs.shape}: one class for each row"
        because = "A softmax over one output is 1 whatever the output is."
    elif (
        loss.of == "sigmoid" and loss.takes == "probabilities" and values.classes == 1
        and len(x) >= FEWEST and (x == 1).all() and t is not None and (t == 0).any()
    ):  # fmt: skip
        evidence = f"all {len(x):,} outputs are 1, and {(t == 0).sum():,} targets are 0"
        because = "A sigmoid does not saturate in every row, the wrong ones too."
    else:
        return
    yield Finding(
        Place("outputs"), (evidence,), "certain", because,
        "use one output with a sigmoid and binary cross-entropy, or two outputs with a softmax",
    )  # fmt: skip
