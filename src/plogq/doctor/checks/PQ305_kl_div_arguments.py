"""A KL divergence is given something else than it takes.

## What it does
Looks at `kl_div` of PyTorch and `kl_divergence` of optax, which take log-probabilities of the model
first: for probabilities or scores there, for log-probabilities as the target without
`log_target=True`, and for PyTorch's `reduction="mean"`.

## Why it matters
With probabilities in the place of their logarithms the number is no divergence: it is not 0 where
both agree. PyTorch's "mean" divides by the number of classes, too, so that the divergence of 10
classes comes out ten times too small; "batchmean" divides by the rows alone.

## Example
```python
import torch.nn.functional as F

def distil(student, teacher, x):
    p = F.softmax(teacher(x), dim=1)
    return F.kl_div(F.softmax(student(x), dim=1), p, reduction="batchmean")
```

## Use instead
```python
import torch.nn.functional as F

def distil(student, teacher, x):
    p = F.softmax(teacher(x), dim=1)
    return F.kl_div(F.log_softmax(student(x), dim=1), p, reduction="batchmean")
```

## Fix safety
No fix: a changed reduction changes the weight of the loss beside others.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
- https://optax.readthedocs.io/en/latest/api/losses.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.losses import LossUse
from plogq.doctor.source.values import Tensor


def find(code: Code) -> Iterator[Finding]:
    """Yield what is wrong with each KL divergence."""
    for use in code.losses:
        if use.loss.of != "distributions" or use.loss.takes != "log-probabilities":
            continue
        tensor, target = use.tensor, use.target_value
        if tensor is not None and tensor.what in ("softmax", "sigmoid", "scores"):
            logits = tensor.what == "scores"
            yield code.finding(
                use.node,
                also=(tensor.made,),
                confidence="certain",
                because=f"{use.name} takes log-probabilities first; these are "
                f"{'logits' if logits else 'probabilities'}.",
                fix=f"use log_softmax {'of them' if logits else 'in the place of softmax'}",
            )
        elif (
            isinstance(target, Tensor)
            and target.what in ("log_softmax", "log_sigmoid")
            and use.target is not None
            and "log_target" not in use.options
        ):
            yield code.finding(
                use.target,
                also=(target.made,),
                confidence="certain",
                because=f"The target of {use.name} is to be probabilities; these are logarithms.",
                fix="give it probabilities, or log_target=True",
            )
        elif _means(use):
            yield code.finding(
                use.call,
                also=(use.made,),
                confidence="likely",
                because="The mean is over classes, too, and nothing multiplies by their number.",
                fix='use reduction="batchmean"',
            )


def _means(use: LossUse) -> bool:
    """Return whether the reduction is PyTorch's mean: as it is by default, or by its name."""
    positional = len(use.call.args) > 2 or (use.made is not use.call and use.made.args)
    return use.api.framework == "torch" and not positional and use.is_mean
