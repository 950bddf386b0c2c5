"""The loss has settled where a model that sees no inputs would.

## What it does
Compares the losses of the last two quarters of a training of 40 updates or more. A finding says
that they no longer fall, and that neither is below the entropy of the shares of the labels, which
is what always giving each class its share costs. Losses so noisy that a fall of 5 % could be hidden
among them are not called settled. One that falls so slowly is, where it is within 1 % of that
entropy, and a hundred such quarters would not take it 1 % below. The labels that are counted must
be so many that their entropy is known to 5 %: of K classes in N labels, it is too low by about
(K − 1) / 2N.

## Why it matters
The loss falls at first, for the base rates are learnt within a few steps; it looks like training.
From there on nothing of the inputs has been used: 0.693 nats for two classes of one size, 2.303 for
ten.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
with watch(model, criterion) as d:
    for _ in range(100):
        optimizer.zero_grad()
        criterion(model(torch.randn(64, 16)), y).backward()
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
    for _ in range(60):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: how the model is built is known to you alone.

## Sources
- https://karpathy.github.io/2019/04/25/recipe/
- https://doi.org/10.1162/089976603321780272
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.runtime.training import Training

FEWEST = 40  # steps, and so ten in a quarter
HIDDEN = 0.05  # of the entropy: a fall that would have been seen
BIAS = 0.05  # of the entropy, by which that of few labels may be too low
ERRORS = 2  # standard errors of the difference of two quarters
QUARTERS = 100  # in which a loss that still falls is to be below the base rates' entropy
NEAR = 0.01  # of the base rates' entropy: below it, something of the inputs was learnt


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the losses no longer fall, and are at the base rates' entropy."""
    seen = training.curve
    if seen is None or len(seen.losses) < FEWEST or seen.base_rate <= 0:
        return
    # A loss that is asked for row by row has more calls than the training has updates.
    if 0 < training.updates < FEWEST:
        return
    if (seen.classes - 1) / (2 * seen.labels) > BIAS * seen.base_rate:
        return
    losses = np.array(seen.losses)
    quarter = len(losses) // 4
    before, last = losses[-2 * quarter : -quarter], losses[-quarter:]
    if not np.isfinite(losses).all():
        return
    error = math.sqrt((before.var(ddof=1) + last.var(ddof=1)) / quarter)
    fall = before.mean() - last.mean()
    near = NEAR * seen.base_rate
    stands = abs(last.mean() - seen.base_rate) <= near and QUARTERS * fall <= near
    if fall > ERRORS * error and not stands:
        return
    if fall + ERRORS * error > HIDDEN * seen.base_rate:
        return
    if min(before.mean(), last.mean()) < seen.base_rate - near:
        return
    yield Finding(
        where=Place("the losses"),
        evidence=(
            f"the loss of the last {quarter:,} of {len(losses):,} steps is {last.mean():.4g} nats, "
            f"and {before.mean():.4g} in as many before; the first was {losses[0]:.4g}",
            f"always giving each class its share of {seen.labels:,} labels costs "
            f"{seen.base_rate:.4g}",
        ),
        confidence="likely",
        because="The loss falls by less than 1/10,000 of it in a quarter of the steps."
        if fall > ERRORS * error
        else f"The two differ by no more than {ERRORS} standard errors, {error:.2g} each.",
        fix="look whether inputs and labels belong together, whether the inputs reach the model, "
        "and try other learning rates",
        cost=Cost.if_any(last.mean() - seen.base_rate, "the loss, less that of the base rates"),
    )
