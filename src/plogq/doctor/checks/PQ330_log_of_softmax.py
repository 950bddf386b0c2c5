"""The logarithm of a softmax or a sigmoid is computed in two steps.

## What it does
Looks for `log` of the result of a softmax or a sigmoid.

## Why it matters
In float32 a softmax is exactly 0 from a distance of about 104 between logits on, and its logarithm
is −inf; the gradient is then NaN. `log_softmax` and `logsigmoid` give −104 and go on. A sigmoid is
exactly 1 from a logit of 18 on.

## Example
```python
import torch
import torch.nn.functional as F

def log_probabilities(model, x):
    return torch.log(F.softmax(model(x), dim=1))
```

## Use instead
```python
import torch.nn.functional as F

def log_probabilities(model, x):
    return F.log_softmax(model(x), dim=1)
```

## Fix safety
Safe where the softmax is written inside the logarithm: the same is computed, more exactly.
Otherwise there is no fix.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
- https://docs.jax.dev/en/latest/_autosummary/jax.nn.log_softmax.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Edit, Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.values import Tensor

TWINS = {"softmax": "log_softmax", "sigmoid": "log_sigmoid"}
# Where both functions are, with the same arguments.
BOTH = {
    "softmax": ("torch", "torch.special", "torch.nn.functional", "jax.nn", "flax.linen",
                "flax.nnx", "tensorflow.nn", "keras.ops", "scipy.special"),
    "sigmoid": ("jax.nn", "flax.linen", "flax.nnx", "tensorflow.math", "keras.ops"),
}  # fmt: skip


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each logarithm of a softmax or a sigmoid."""
    for call in code.calls:
        given = code.logarithm_of(call)
        value = code.value(given)
        if given is None or not isinstance(value, Tensor) or value.what not in TWINS:
            continue
        twin = "logsigmoid" if value.what == "sigmoid" else TWINS[value.what]
        yield code.finding(
            call,
            also=(value.made,),
            confidence="certain",
            because=f"The logarithm is taken of a {value.what}, which may have become 0.",
            fix=f"use {twin} of the logits",
            edits=_together(call, given, value, code),
        )


def _together(call: ast.Call, given: ast.expr, value: Tensor, code: Code) -> tuple[Edit, ...]:
    """Return the change into the one function, where both are written together."""
    if given is not value.made:
        return ()
    func = value.made.func
    name = code.flow.qualified(func)
    if not isinstance(func, ast.Attribute) or (name is None and value.what != "softmax"):
        return ()
    twin = TWINS[value.what]
    if name is not None and name.rpartition(".")[0] not in BOTH[value.what]:
        return ()
    inner = code.text(value.made)
    before = len(code.text(func))
    at = before - len(func.attr)
    return code.replacement(call, f"{inner[:at]}{twin}{inner[before:]}")
