"""A sigmoid stands before a loss of logits, which applies its own sigmoid or softmax.

## What it does
Looks for the result of a sigmoid in a loss that takes logits: `binary_cross_entropy_with_logits`,
`cross_entropy`, their kin of optax and TensorFlow, and losses of Keras with `from_logits=True`.

## Why it matters
A sigmoid of a probability is at least 0.5 and at most 0.731. An event that never happens costs
0.693 nats though the model is sure of it, and one that always happens costs 0.313.

## Example
```python
import torch
import torch.nn.functional as F

def step(model, x, y):
    return F.binary_cross_entropy_with_logits(torch.sigmoid(model(x)), y)
```

## Use instead
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.binary_cross_entropy_with_logits(model(x), y)
```

## Fix safety
Safe where the sigmoid is written inside the call of the loss. Otherwise there is no fix: its result
may be needed elsewhere.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each loss of logits that is given the result of a sigmoid."""
    for use in code.losses:
        tensor = use.tensor
        if use.loss.takes == "logits" and tensor is not None and tensor.what == "sigmoid":
            yield code.finding(
                use.node,
                also=(tensor.made, use.made),
                confidence="certain",
                because=f"{use.name} takes logits, and applies a {use.loss.of} to them.",
                fix="give the loss the logits, without the sigmoid",
                edits=code.unwrapped(use),
            )
