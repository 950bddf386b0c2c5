"""A gradient of the update before is used once more.

## What it does
Looks, at the first backward pass after an update, whether the parameters still have the gradient of
that update, and whether the next update uses it.

## Why it matters
Each update then goes along the sum of all gradients so far: an optimizer without brakes. The loss
falls at first, as with momentum, and then swings or runs away.

## Example
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
No fix: the call belongs into your loop.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where gradients were not set to zero between two updates."""
    seen = training.stale
    if seen is None:
        return
    yield Finding(
        where=Place(f"update {seen.update}"),
        evidence=(
            f"before its first backward pass the gradient of update {seen.update - 1} is still "
            "there",
            f"its norm is {seen.share:.3g} of that which update {seen.update} uses",
        ),
        confidence="certain",
        because="backward() adds to the gradient that is there.",
        fix="call optimizer.zero_grad() before each backward(), or before the first batch of an "
        "update",
    )
