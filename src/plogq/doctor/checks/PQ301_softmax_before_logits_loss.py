"""A softmax stands before a loss that applies the softmax itself.

## What it does
Looks for the result of a softmax in a loss that takes logits: `cross_entropy` of PyTorch,
`softmax_cross_entropy` and its kin of optax and TensorFlow, and the losses of Keras with
`from_logits=True`. PQ101 finds the same mistake in values.

## Why it matters
The loss takes a softmax of probabilities. The largest probability that C classes can then get is
e / (C − 1 + e), so that the loss of a perfect model is ln(C − 1 + e) − 1 and not 0: 0.313 nats for
2 classes, 1.461 for 10, 5.909 for 1,000. Nothing warns: the loss falls, and stops early.

## Example
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.cross_entropy(F.softmax(model(x), dim=1), y)
```

## Use instead
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.cross_entropy(model(x), y)
```

## Fix safety
Safe where the softmax is written inside the call of the loss, and nothing else reads its result.
Otherwise there is no fix: the softmax may be needed elsewhere.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding
from plogq.doctor.source.code import Code


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each loss of logits that is given the result of a softmax."""
    for use in code.losses:
        tensor = use.tensor
        if use.loss.takes != "logits" or tensor is None or tensor.what != "softmax":
            continue
        yield code.finding(
            use.node,
            also=(tensor.made, use.made),
            confidence="certain",
            because=f"{use.name} takes logits, and applies a softmax to them.",
            fix="give the loss the logits, without the softmax",
            cost=floor(tensor.units) if use.loss.of == "softmax" else None,
            edits=code.unwrapped(use),
        )


def floor(classes: int | None) -> Cost | None:
    """Return what is left of the loss of a perfect model."""
    if classes is None or classes < 2:
        return None
    left = math.log(classes - 1 + math.e) - 1
    return Cost(left, f"ln({classes} − 1 + e) − 1, which is left where the model is perfect")
