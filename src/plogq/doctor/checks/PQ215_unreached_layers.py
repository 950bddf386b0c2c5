"""Layers run and are updated, and no gradient reaches them.

## What it does
Looks for layers that the optimizer holds and that run with gradients on, and whose parameters have
no gradient, or one of 0 alone, at each of the updates that were looked at, of two or more. Layers
that run under no_grad, or that are frozen, are passed over.

## Why it matters
The graph is cut behind them: by detach(), .data, .item(), NumPy, an argmax, or a rounding; or every
unit of a ReLU behind them is dead. They stay what they were at the start, and what stands behind
learns to live with them.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 4)

    def forward(self, x):
        return self.last(self.first(x).relu().detach())


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
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


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 4)

    def forward(self, x):
        return self.last(self.first(x).relu())


model = Net()
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
No fix: what is to learn is known to you alone.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

MOST_SHOWN = 3


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding for all layers that no gradient reaches."""
    seen = training.unreached
    if seen is None:
        return
    names = ", ".join(each or "the model itself" for each in seen.layers[:MOST_SHOWN])
    more = f" and {len(seen.layers) - MOST_SHOWN} more" if len(seen.layers) > MOST_SHOWN else ""
    yield Finding(
        where=Place(f"layer {seen.layers[0]}" if seen.layers[0] else "the model"),
        evidence=(
            f"layers without a gradient at each of {seen.steps} updates: {names}{more}",
            f"they have {seen.parameters:,} of the {seen.all_parameters:,} parameters that learn",
        ),
        confidence="likely",
        because="They run with gradients on, and the optimizer holds them.",
        fix="look for what cuts the graph behind them; if they are not to learn, freeze them or "
        "leave them out of the optimizer",
    )
