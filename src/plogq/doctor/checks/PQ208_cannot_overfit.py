"""A copy of the model cannot learn one batch by heart.

## What it does
Trains copies of the model on 16 rows of the first batch alone, by Adam with the learning rates 0.01
and 0.001, without dropout: 40 steps, and up to 200 while these still gain. A finding says that no
copy got below 0.99 of what always giving each class its share of these rows costs, and that the
best of them had come to rest. There must be two classes, 8 labels, and as many parameters as rows.

## Why it matters
Whatever the task, a model should be able to learn a few rows by heart. One that cannot does not see
the inputs, gets no gradient, or has lost what tells rows apart; more data and more epochs do not
help.

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
        hidden = self.first(x).detach()
        return self.last(hidden * 0 + 1)


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
No fix: how the model is built is known to you alone.

## Sources
- https://karpathy.github.io/2019/04/25/recipe/
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.runtime.by_heart import SHARE
from plogq.doctor.runtime.training import Training


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where no copy learnt anything of the batch but its base rates."""
    seen = training.overfit
    if seen is None or not seen.best > SHARE * seen.base_rate:
        return
    rates = " and ".join(f"{each:g}" for each in seen.rates)
    yield Finding(
        where=Place("the model"),
        evidence=(
            f"the loss of {seen.rows:,} rows is {seen.start:.4g} nats at first, and "
            f"{seen.best:.4g} at best, in {seen.updates} steps of Adam with the learning rates "
            f"{rates}",
            f"always giving each class its share would cost {seen.base_rate:.4g}",
        ),
        confidence="likely",
        because="The base rates need no inputs, and a batch that is learnt by heart costs 0.",
        fix="look for inputs that are all alike or do not reach the output, a detached graph, and "
        "layers that are saturated or dead",
        cost=Cost.if_any(seen.best, "what is left of the loss of a batch learnt by heart"),
    )
