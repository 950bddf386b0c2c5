"""The loss is computed in half precision.

## What it does
Looks at the type of the loss, and computes it again from the same outputs in float64.

## Why it matters
bfloat16 has 8 binary digits: between 2 and 4 its steps are 0.015625, so that 2.303 is 2.297. The
logarithm and the sum of a softmax round at every class. Losses that differ by less than a step look
the same, and a mean over batches keeps the error.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16).bfloat16(), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)).bfloat16()
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
x, y = torch.randn(64, 16).bfloat16(), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)).bfloat16()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        criterion(model(x).float(), y).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: where the outputs are made wider is for your loop to say.

## Sources
- https://docs.pytorch.org/docs/stable/amp.html#cpu-ops-that-autocast-to-float32
- https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.runtime.training import Training


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the loss is of half precision."""
    seen = training.half
    if seen is None:
        return
    yield Finding(
        where=Place("the loss"),
        evidence=(
            f"the loss is {seen.loss:.6g}, as {seen.dtype}",
            f"in float64, of the same outputs, it is {seen.exact:.6g}",
        ),
        confidence="certain",
        because=f"{seen.dtype} rounds each step of the loss, and its result.",
        fix="give the loss float32: outputs.float()",
        cost=Cost.if_any(abs(seen.loss - seen.exact), "how far the loss is off"),
    )
