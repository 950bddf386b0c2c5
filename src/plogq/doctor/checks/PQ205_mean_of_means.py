"""Batches of unequal size weigh the same in one update.

## What it does
Looks at the batches whose gradients are added before an update: how many rows of each count (those
with the ignored label do not), and by what its loss is multiplied. Where a row of one weighs more
than 1.1 times a row of another, both gradients are computed, that of the update and that of one
batch with all the rows.

## Why it matters
A mean over 4 rows and one over 60, averaged, give each of the 4 rows the weight of 15 of the
others. The loss and its gradient are not those of one large batch, and change with how rows fall
into batches.

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
        optimizer.zero_grad()
        for part in (slice(0, 60), slice(60, 64)):
            (criterion(model(x[part]), y[part]) / 2).backward()
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
criterion = nn.CrossEntropyLoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with watch(model, criterion) as d:
    for _ in range(3):
        optimizer.zero_grad()
        for part in (slice(0, 60), slice(60, 64)):
            (criterion(model(x[part]), y[part]) / 64).backward()
        optimizer.step()
d.diagnosis
```

## Fix safety
No fix: the number of rows that count has to be known before the first batch.

## Sources
- https://huggingface.co/blog/gradient_accumulation
- https://unsloth.ai/blog/gradient
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.runtime.training import Training

UNEQUAL = 1.1  # how much more a row may weigh than another
MOST_SHOWN = 8
DIFFERENT = 0.05  # of the gradient of one batch


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where rows weigh differently, and the gradient is another."""
    seen = training.accumulated
    if seen is None or not max(seen.row_weights) > UNEQUAL * min(seen.row_weights):
        return
    if not seen.gradient_difference > DIFFERENT:
        return
    rows = ", ".join(f"{each:,.6g}" for each in seen.rows[:MOST_SHOWN])
    more = ", …" if len(seen.rows) > MOST_SHOWN else ""
    ratio = max(seen.row_weights) / min(seen.row_weights)
    yield Finding(
        where=Place(
            f"{len(seen.rows)} batches of one update{', a process each' if seen.processes else ''}"
        ),
        evidence=(
            f"rows that count: {rows}{more}",
            f"a row weighs up to {ratio:.3g} times as much as another",
            f"the loss is {seen.accumulated_loss:.4g}, that of one batch {seen.one_batch_loss:.4g}",
            f"the gradient differs from that of one batch by {seen.gradient_difference:.0%} of it",
        ),
        confidence="certain",
        because="Both gradients were computed, on a copy of the model in eval mode.",
        fix='use reduction="sum", multiply by the number of processes, and divide by the rows that '
        "count in all of them"
        if seen.processes
        else 'use reduction="sum", and divide by the rows that count in all batches',
        cost=Cost.if_any(
            abs(seen.accumulated_loss - seen.one_batch_loss),
            "how far the loss is from that of one batch",
        ),
    )
