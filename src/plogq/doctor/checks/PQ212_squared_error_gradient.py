"""Squared error sends back far less than cross-entropy would.

## What it does
Where squared error compares the outputs of a softmax or of sigmoids with targets of 0 and 1,
computes what it sends back to the logits of the batch, and what cross-entropy would. A finding says
that it is less than a tenth of it.

## Why it matters
Through a softmax, squared error multiplies the error by the probabilities once more, and its mean
is over the classes as well. Where 10 classes have 0.1 each, that is 0.02 of what cross-entropy
sends back; and where the model is surely wrong, it is next to nothing.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), nn.functional.one_hot(torch.arange(64) % 10).float()
model = nn.Sequential(nn.Linear(16, 10), nn.Softmax(dim=1))
criterion = nn.MSELoss()
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
x, y = torch.randn(64, 16), nn.functional.one_hot(torch.arange(64) % 10).float()
model = nn.Linear(16, 10)
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
No fix: another loss is another model.

## Sources
- http://neuralnetworksanddeeplearning.com/chap3.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training

TENTH = 0.1  # of the gradient of cross-entropy


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where the logits get a tenth, or less, of cross-entropy's gradient."""
    seen = training.squared
    if seen is None or not 0 < seen.squared < TENTH * seen.cross_entropy:
        return
    yield Finding(
        where=Place("the loss"),
        evidence=(
            f"the gradient at the logits of a {seen.of} is {seen.squared:.2g}, root mean square",
            f"cross-entropy's, of the same batch, is {seen.cross_entropy:.2g}: "
            f"{seen.cross_entropy / seen.squared:.3g} times as much",
        ),
        confidence="likely",
        because="Outputs in [0, 1] beside targets 0 and 1 come of a softmax or of sigmoids.",
        fix="use cross-entropy of the logits",
    )
