"""A number that is not finite appears, at a module that is named.

## What it does
Looks at what each module gives, and at the gradient at each layer, once a loss or a gradient is NaN
or infinite, and names the first module. After the first steps it does so on the processor alone,
where reading the loss costs nothing.

## Why it matters
The next update writes it into every parameter, and from then on all is NaN: where it began cannot
be seen any more. Mixed precision with a scaler leaves such an update out; a gradient that is NaN
without the scaler's factor is found all the same.

## Example
```python
import torch
from torch import nn
from plogq.doctor import watch

torch.manual_seed(0)
x, y = torch.rand(64, 16) - 0.01, torch.arange(64) % 4


class Log(nn.Module):
    def forward(self, x):
        return x.log()


model = nn.Sequential(nn.Linear(16, 16), Log(), nn.Linear(16, 4))
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
x, y = torch.rand(64, 16), torch.arange(64) % 4


class Log(nn.Module):
    def forward(self, x):
        return nn.functional.softplus(x).log()


model = nn.Sequential(nn.Linear(16, 16), Log(), nn.Linear(16, 4))
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
- https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
- https://docs.pytorch.org/docs/stable/amp.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding, Place
from plogq.doctor.runtime.training import Training


def find(training: Training) -> Iterator[Finding]:
    """Yield a finding where a step was not finite."""
    found = training.not_finite
    if found is None:
        return
    module = f"{found.module} ({found.kind})" if found.module else found.kind
    said = {
        "outputs": f"the first to give such numbers is {module}",
        "inputs": f"the first to give such numbers is {module}, and it is given them: "
        "they come of the batch, or of what stands between modules",
        "parameters": f"{module} has such parameters: an earlier update wrote them",
        "gradient": f"the loss is {found.loss:.4g}, and its gradient is first not finite at "
        f"{module}",
        "loss": "every module gives finite numbers: it is the loss itself",
        "later": "the step was not repeated: watch more steps to see where it begins",
    }
    numbers = () if found.of in ("loss", "later") else (
        f"{found.of} that are NaN or infinite: {found.count:,} of {found.size:,}, the first is "
        f"{found.value}",
    )  # fmt: skip
    yield Finding(
        where=Place(f"step {found.step}"),
        evidence=(f"the loss is {found.loss:.4g}", said[found.of], *numbers),
        confidence="certain",
        because="The update writes such a number into every parameter that it reaches.",
        fix="look for a logarithm, a root or a division of 0 there, or an exponential that "
        "overflows",
    )
