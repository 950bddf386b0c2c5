"""Gradients in float16 become 0.

## What it does
Looks, where layers give float16, at the gradient of a loss that is multiplied by up to 65,536, as a
scaler does: how much of it is below what float16 can tell from 0 by the scale that the training
uses. A finding says that a quarter or more of a layer's gradient is lost.

## Why it matters
Below 2⁻²⁵, about 0.00000003, float16 has nothing but 0. The gradient of a mean over many rows is
that small where the model is nearly right, and then these rows teach nothing. bfloat16 and float32
go down to 10⁻³⁸ and further.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(512, 16), torch.arange(512) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            loss = criterion(model(x), y)
        (loss / 4096).backward()
        optimizer.step()
d.diagnosis
```

## Use instead
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(512, 16), torch.arange(512) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = criterion(model(x), y)
        (loss / 4096).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: the scaler belongs into your loop.

## Sources
- https://arxiv.org/abs/1710.03740
- https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

SHARE = 0.25  # of the numbers of a gradient that are not 0


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding for the layer that loses most of its gradient."""
    layers = [(each, step) for step in training.steps for each in step.layers]
    if not layers:
        return
    worst, step = max(layers, key=lambda found: found[0].underflow)
    if worst.underflow < SHARE:
        return
    yield Finding(
        where=Place(f"layer {worst.name or worst.kind}"),
        evidence=(
            f"numbers of the gradient at {worst.name or worst.kind} ({worst.kind}) that become 0 "
            f"in float16: {worst.underflow:.0%}",
            f"the loss is multiplied by {step.loss_scale:.3g} before its gradient is asked for",
        ),
        confidence="certain",
        because="With a larger scale these numbers are not 0.",
        fix="use torch.amp.GradScaler, or bfloat16",
    )
