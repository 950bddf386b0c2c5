"""The gradient grows without bound on its way to the first layer.

## What it does
Compares the norm of the loss's gradient at the outputs of the first layer with that at the last
layer but one. A finding says that it is more than 10,000 times as large. Layers between the two may
stand in a branch, as the keys of an attention do, and are no measure.

## Why it matters
A learning rate that is small enough for the first layer is 10,000 times too small for the last
ones, and one that suits the last ones throws the first away. Weights that make each of 12 layers 3
times as steep multiply the gradient by 531,441.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
hidden = [part for _ in range(12) for part in (nn.Linear(32, 32), nn.ReLU())]
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), *hidden, nn.Linear(32, 4))
for each in model[::2]:
    nn.init.normal_(each.weight, std=4 * each.in_features**-0.5)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-12)
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
- https://proceedings.mlr.press/v28/pascanu13.html
- https://arxiv.org/abs/1502.01852
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

MOST = 1e4  # times the gradient of the last layer but one


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the first layer has far more of the gradient than the last ones."""
    hidden = training.hidden_gradients()
    if len(hidden) < 2:
        return
    first, least = hidden[0], hidden[-1]
    if first.norm <= MOST * least.norm:
        return
    yield Finding(
        where=Place(f"layer {first.name or first.kind}"),
        evidence=(
            f"the gradient at {first.name or first.kind} ({first.kind}) has the norm "
            f"{first.norm:.2g}, at {least.name} ({least.kind}) {least.norm:.2g}",
            f"that is {first.norm / least.norm:.1g} times as much, over {len(hidden)} layers",
        ),
        confidence="certain",
        because="No learning rate suits layers whose gradients differ by 10,000.",
        fix="use weights of variance 2 / inputs, residual connections, or normalisation; clipping "
        "keeps the layers' differences",
    )
