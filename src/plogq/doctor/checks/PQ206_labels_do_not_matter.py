"""The loss is the same for other labels.

## What it does
Gives each row of the batch the label of another, three times, and computes the loss of the same
outputs. Labels are whole numbers, or rows of 0 and 1. Batches in which all labels or all outputs
are alike are passed over, and so are outputs that are the same for all classes, and functions whose
second argument begins with an underscore, as what is not read is named.

## Why it matters
Then the labels do not reach the loss: it is computed of something else, every row has the weight 0,
or a mean was taken before the comparison. Training goes on, and the loss may even fall.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))


def criterion(outputs, target):
    chosen = outputs.log_softmax(1).mean(0)
    return -chosen[target].mean()

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        d.loss(model(x), y).backward()
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


def criterion(outputs, target):
    chosen = outputs.log_softmax(1)
    return -chosen.gather(1, target[:, None]).mean()

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        d.loss(model(x), y).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: what the loss is to compute is known to you alone.

## Sources
- https://karpathy.github.io/2019/04/25/recipe/
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

STEPS = 8  # of rounding, within which sums in another order differ


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the loss does not move with the labels."""
    seen = training.shuffled
    if seen is None or not math.isfinite(seen.loss):
        return
    moved = max(abs(each - seen.loss) for each in seen.shuffled)
    if not moved <= STEPS * seen.step:
        return
    yield Finding(
        where=Place("target"),
        evidence=(
            f"the loss of {seen.rows:,} rows is {seen.loss:.6g}",
            f"with the labels of other rows, {len(seen.shuffled)} times, it moves by {moved:.1g}",
        ),
        confidence="certain",
        because="Rows have different outputs and different labels, and the loss does not see it.",
        fix="look for a mean or a sum that is taken before outputs and labels meet, and for "
        "weights or masks that are 0",
    )
