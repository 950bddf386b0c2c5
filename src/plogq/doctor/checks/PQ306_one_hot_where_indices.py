"""One-hot labels go where class indices belong, or the reverse.

## What it does
Looks for the result of a one-hot encoding as the target of a loss that takes class indices, for
`one_hot` of PyTorch in `cross_entropy` while it is of integers, and for the result of an argmax as
the target of a loss that takes a distribution.

## Why it matters
Most frameworks refuse it, but only when the training runs. Where shapes happen to agree, each 0 and
1 of a one-hot row counts as a label of its own: a model of C classes is taught class 0, C − 1 times
out of C.

## Example
```python
import jax
import optax

def loss(logits, labels):
    targets = jax.nn.one_hot(labels, 10)
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()
```

## Use instead
```python
import jax
import optax

def loss(logits, labels):
    targets = jax.nn.one_hot(labels, 10)
    return optax.softmax_cross_entropy(logits, targets).mean()
```

## Fix safety
No fix: either the loss or the labels may be what was meant.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
- https://optax.readthedocs.io/en/latest/api/losses.html
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.values import Tensor

INDICES = {"nll_loss", "sparse_categorical_crossentropy",
           "softmax_cross_entropy_with_integer_labels",
           "sparse_softmax_cross_entropy_with_logits"}  # fmt: skip
DISTRIBUTIONS = {"categorical_crossentropy", "softmax_cross_entropy",
                 "softmax_cross_entropy_with_logits"}  # fmt: skip


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each loss whose target is of the other kind."""
    for use in code.losses:
        target = use.target_value
        if not isinstance(target, Tensor) or use.target is None:
            continue
        # PyTorch's cross_entropy takes distributions, but refuses those that are integers.
        whole = use.api.name == "cross_entropy" and not target.cast
        if target.what == "one_hot" and (use.api.name in INDICES or whole):
            because = "takes class indices; these are one-hot rows"
            fix = "give the loss the class indices"
        elif target.what == "indices" and use.api.name in DISTRIBUTIONS:
            because = "takes a distribution for each row; these are class indices"
            fix = "use the loss of class indices, or one-hot rows"
        else:
            continue
        yield code.finding(
            use.target,
            also=(target.made,),
            confidence="certain",
            because=f"{use.name} {because}.",
            fix=fix,
        )
