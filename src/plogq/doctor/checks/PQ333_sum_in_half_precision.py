"""A sum is kept in half precision.

## What it does
Looks for sums of what was just cast to float16 or bfloat16, without a dtype of their own, and for a
loss of such outputs with `reduction="sum"`.

## Why it matters
The largest float16 is 65,504: a sum of 30,000 losses of ln 10 nats is 69,078, and becomes inf. In
bfloat16 the sum of 1,001 ones is 1,000, since it holds 8 bits.

## Example
```python
import torch

def total(losses):
    return losses.half().sum()
```

## Use instead
```python
import torch

def total(losses):
    return losses.half().sum(dtype=torch.float32)
```

## Fix safety
No fix: the type of the result changes.

## Sources
- https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.values import Tensor

SUMS = {"torch.sum", "numpy.sum", "jax.numpy.sum", "tensorflow.reduce_sum", "keras.ops.sum"}


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each sum of numbers in half precision."""
    summed = [(call, _summed(call, code)) for call in code.calls]
    summed += [(use.call, use.outputs) for use in code.losses if use.constant("reduction") == "sum"]
    for call, given in summed:
        value = code.value(given)
        if isinstance(value, Tensor) and value.what == "half":
            yield code.finding(
                call,
                also=(value.made,),
                confidence="likely",
                because="What is summed was cast to half precision, and so is the sum.",
                fix="sum in float32: dtype=torch.float32, or .float() before the sum",
            )


def _summed(call: ast.Call, code: Code) -> ast.expr | None:
    """Return what a call sums, if it does and no dtype is given."""
    if any(each.arg == "dtype" for each in call.keywords):
        return None
    name = code.flow.qualified(call.func)
    if name is not None:
        return call.args[0] if name in SUMS and call.args else None
    if isinstance(call.func, ast.Attribute) and call.func.attr == "sum":
        return call.func.value
    return None
