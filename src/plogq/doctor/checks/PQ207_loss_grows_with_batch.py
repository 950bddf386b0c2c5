"""The gradient grows with the size of the batch.

## What it does
Computes the loss of both halves of a batch. Where they sum to the loss of the batch, the loss is a
sum; a finding says that its gradient is used as it is, and not divided by the number of rows.

## Why it matters
The gradient of a sum over 64 rows is 64 times that of the mean. A learning rate fits one size of
batch alone, the last batch of an epoch makes a smaller step than the others, and clipping cuts
nearly every step.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
d.diagnosis
```

## Use instead
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: the learning rate was chosen for this loss.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

CLOSE = 1e-3  # of the loss: sums in another order, in half precision too
DIVIDED = 2.0  # the gradient of a sum, divided by its rows, is nearer to 1 / rows than to 1


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the loss is a sum, and its gradient is used as it is."""
    seen = training.split
    if seen is None or not training.steps or not math.isfinite(seen.loss) or seen.loss == 0:
        return
    first, second = seen.halves
    is_sum = abs(first + second - seen.loss) <= CLOSE * abs(seen.loss)
    used = training.gradient_ratio
    if used is None:
        used = training.steps[0].loss_scale
    used /= seen.numbers  # both are of the mean of a loss that is a number for each row
    if not is_sum or min(abs(first), abs(second)) <= CLOSE * abs(seen.loss):
        return
    if used * seen.rows <= DIVIDED:
        return
    yield Finding(
        where=Place("the loss"),
        evidence=(
            f"the loss of {seen.rows:,} rows is {seen.loss:.4g}, of its halves {first:.4g} and "
            f"{second:.4g}",
            f"the gradient of the loss is used {used:.3g} times; that of the mean over rows is "
            f"{1 / seen.rows:.3g} times it"
            if seen.use_seen
            else "whether its gradient is divided by the rows later is not seen",
        ),
        confidence="likely" if seen.use_seen else "possible",
        because="The losses of the halves sum to that of the batch.",
        fix='use reduction="mean", or divide by the number of rows',
    )
