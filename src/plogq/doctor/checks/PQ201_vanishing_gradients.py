"""The gradient all but vanishes on its way to the first layer.

## What it does
Compares the norm of the loss's gradient at the outputs of the first layer with the largest at a
layer between it and the last one. A finding says that it is less than 1/10,000 of it.

## Why it matters
Of such a layer 10,000 updates do what one does above. Each sigmoid multiplies the gradient by at
most 0.25, so that after 7 of them at most 0.000061 is left. The loss still falls, for the last
layers learn.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
hidden = [part for _ in range(12) for part in (nn.Linear(32, 32), nn.Sigmoid())]
model = nn.Sequential(nn.Linear(16, 32), nn.Sigmoid(), *hidden, nn.Linear(32, 4))
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
hidden = [part for _ in range(4) for part in (nn.Linear(32, 32), nn.SELU())]
model = nn.Sequential(nn.Linear(16, 32), nn.SELU(), *hidden, nn.Linear(32, 4))
for each in model[::2]:
    nn.init.normal_(each.weight, std=each.in_features**-0.5)
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
- http://neuralnetworksanddeeplearning.com/chap5.html
- https://proceedings.mlr.press/v9/glorot10a.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

LEAST = 1e-4  # of the largest gradient: 10,000 updates then do the work of one


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the first layer has next to none of the gradient of the others."""
    hidden = training.hidden_gradients()
    if len(hidden) < 2:
        return
    first, most = hidden[0], max(hidden, key=lambda each: each.norm)
    if first.norm >= LEAST * most.norm:
        return
    yield Finding(
        where=Place(f"layer {first.name or first.kind}"),
        evidence=(
            f"the gradient at {first.name or first.kind} ({first.kind}) has the norm "
            f"{first.norm:.2g}, at {most.name} ({most.kind}) {most.norm:.2g}",
            f"that is {first.norm / most.norm:.1g} of it, over {len(hidden)} layers",
        ),
        confidence="certain",
        because="A layer with 1/10,000 of the gradient learns as much in 10,000 updates as in one.",
        fix="use ReLU or its kin with weights of variance 2 / inputs, residual connections, or "
        "normalisation",
    )
