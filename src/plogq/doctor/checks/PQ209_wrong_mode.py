"""The model learns in eval mode, or is judged in train mode.

## What it does
Looks at the mode of the model where its loss is asked for, with gradients and without, and computes
the loss of the batch in both modes, on copies, with the same random numbers. A finding says that
the model is in the other mode, and that the two losses differ; or that a module calls a dropout
function which drops in eval mode, too: `F.dropout(x)` does unless it is told `self.training`.

## Why it matters
In eval mode dropout is off, and normalisation uses statistics that no longer move. In train mode a
validation loss is that of a model with units missing, it depends on what else is in the batch, and
the validation set moves the running statistics.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.randn(64, 16), torch.arange(64) % 4
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4)).eval()
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
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4))
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
No fix: the call of train() or eval() belongs into your loop.

## Sources
- https://docs.pytorch.org/docs/stable/notes/autograd.html#evaluation-mode-nn-module-eval
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.runtime.training import ModeLosses, Training


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding for learning in eval mode, and one for judging in train mode."""
    told = False
    for seen in (training.train_mode, training.evaluation_mode):
        if seen is None:
            continue
        if seen.always and not told:
            told = True
            yield _drops(seen)
        if seen.training == seen.learning or not seen.modules:
            continue
        if seen.learning and not training.updates:
            continue
        mode, other = ("train", "eval") if seen.training else ("eval", "train")
        loss, right = (seen.train, seen.evaluation) if seen.training else (
            seen.evaluation, seen.train)  # fmt: skip
        yield Finding(
            where=Place(f"step {seen.step}"),
            evidence=(
                f"the loss is asked for {'with' if seen.learning else 'without'} its gradient, in "
                f"{mode} mode: {loss:.4g}",
                f"in {other} mode it is {right:.4g}",
                f"modules that differ: {', '.join(seen.modules)}",
            ),
            confidence="likely",
            because="A model learns in train mode, and is judged in eval mode.",
            fix=f"call model.{other}() before",
            cost=None
            if seen.learning
            else Cost.if_any(abs(loss - right), "the loss in train mode, less that in eval mode"),
        )


def _drops(seen: ModeLosses) -> Finding:
    return Finding(
        where=Place(f"step {seen.step}"),
        evidence=(f"in eval mode these drop: {', '.join(seen.always)}",),
        confidence="likely",
        because="The function's default is to drop, in either mode.",
        fix="say F.dropout(x, p, self.training), or use the module nn.Dropout",
    )
