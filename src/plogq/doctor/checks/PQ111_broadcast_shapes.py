"""Outputs and target of two shapes are broadcast against each other.

## What it does
Looks for shapes such as (N,) and (N, 1) under a loss of pairs of numbers that does not refuse them:
it then has N × N terms, each output beside each target.

## Why it matters
The least such loss is that of a constant, the mean of the targets: the model learns to say the
same for all rows. With targets 0 and 1 in equal numbers, squared error cannot fall below 0.25, and
binary cross-entropy not below 0.693 nats.

## Example
```python
import numpy as np
from plogq.doctor import check

outputs = np.array([[0.2], [0.7], [1.9]])
target = np.array([0.0, 1.0, 2.0])
check(outputs, target, loss="mse_loss")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

outputs = np.array([[0.2], [0.7], [1.9]])
target = np.array([0.0, 1.0, 2.0])
check(outputs.squeeze(-1), target, loss="mse_loss")
```

## Fix safety
No fix: which of the shapes is meant is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
- https://numpy.org/doc/stable/user/basics.broadcasting.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.values import Values


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where both outputs and target are stretched."""
    x, y = values.outputs, values.target
    if not values.loss.broadcasts:
        return
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return  # the framework refuses the pair, too
    terms = math.prod(shape)
    if terms <= max(x.size, y.size):
        return
    yield Finding(
        where=Place("target"),
        evidence=(
            f"outputs {x.shape} and target {y.shape} become {shape}",
            f"{terms:,} terms instead of {max(x.size, y.size):,}",
        ),
        confidence="certain",
        because="Each output is compared with the targets of other rows.",
        fix="give both one shape: outputs.squeeze(-1), or target.unsqueeze(-1)",
    )
