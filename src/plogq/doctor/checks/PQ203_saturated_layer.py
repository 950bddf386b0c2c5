"""A layer inside the model is saturated, or dead.

## What it does
Looks, in the last of the looked-at steps, for a tanh or a sigmoid inside the model of which nine
outputs of ten are flat (their slope is below 1/20 of the largest), and for a ReLU of which nine
units of ten are 0 in every row. It must have been so in all of the steps, or have become more so
with each of them, as where an update that is too large kills units.

## Why it matters
A flat output passes next to no gradient back: where a sigmoid gives 0.99, its slope is 0.0099, and
its largest is 0.25. A unit of a ReLU that is 0 in every row passes none, and never learns again.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = 100 * torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4))
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
model = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4))
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
- https://proceedings.mlr.press/v9/glorot10a.html
- https://cs231n.github.io/neural-networks-1/#actfun
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Activation, Training

SHARE = 0.9  # of the outputs or the units: a tenth is then left to learn
FEWEST = 16  # units, of which nine tenths are not dead by chance


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding for each activation that is flat in all steps, or ever more so."""
    by_step = [{each.name: each for each in step.activations} for step in training.steps]
    for name, each in (by_step[-1] if by_step else {}).items():
        seen = [step[name] for step in by_step if name in step]
        if len(seen) < len(by_step) or not _is_flat(each):
            continue
        shares = [_share(one) for one in seen]
        always = all(_is_flat(one) for one in seen)
        if not always and not all(a < b for a, b in pairwise(shares)):
            continue
        dead, share = each.kind == "relu", shares[-1]
        grown = ", ".join(f"{one:.0%}" for one in shares)
        yield Finding(
            where=Place(f"layer {name}" if name else "the model"),
            evidence=(
                f"units of a ReLU that are 0 in every row: {share:.0%} of {each.units:,}"
                if dead
                else f"outputs of a {each.kind} whose slope is below 1/20 of the largest: "
                f"{share:.0%}",
                f"in all of the {len(seen)} steps that were looked at"
                if always
                else f"more in each step that was looked at: {grown}",
            ),
            confidence="likely",
            because="What is flat passes no gradient back.",
            fix="scale the inputs to a variance of 1, make the initial weights smaller, or lower "
            "the learning rate",
        )


def _share(activation: Activation) -> float:
    return activation.dead if activation.kind == "relu" else activation.saturated


def _is_flat(activation: Activation) -> bool:
    if activation.kind == "relu":
        return activation.units >= FEWEST and activation.dead > SHARE
    return activation.saturated > SHARE
