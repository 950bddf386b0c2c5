"""A logarithm is kept finite by a small number that changes the loss, or does not help.

## What it does
Looks for `log(p + eps)` where p is the result of a softmax or a sigmoid, for a binary cross-entropy
that is written so by hand, and for clips whose bounds are mistyped or too near to 1 for float32.
Logarithms under `torch.no_grad` are passed over: nothing is learned by them, such as the cost of a
match.

## Why it matters
The loss stops at −ln(eps), 18.421 nats for 1e-8, and where p is far below eps nothing is learned
any more. In float32 1 − 1e-8 is 1: a clip at that bound does nothing, and log(1 − p) is −inf.

## Example
```python
import torch

def loss(model, x, y):
    p = torch.softmax(model(x), dim=1)
    return -(y * torch.log(p + 1e-8)).sum(dim=1).mean()
```

## Use instead
```python
import torch

def loss(model, x, y):
    log_p = torch.log_softmax(model(x), dim=1)
    return -(y * log_p).sum(dim=1).mean()
```

## Fix safety
No fix: the loss changes where it was clipped.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
- https://numpy.org/doc/stable/reference/generated/numpy.finfo.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.scopes import argument
from plogq.doctor.source.values import Tensor

LOWER = ("min", "a_min", "clip_value_min", "min_value", "x_min")
UPPER = ("max", "a_max", "clip_value_max", "max_value", "x_max")
CLIPS = {f"{of}.{name}" for of in ("torch", "numpy", "jax.numpy", "keras.ops", "keras.backend")
         for name in ("clip", "clamp")} | {"tensorflow.clip_by_value"}  # fmt: skip
METHODS = ("clip", "clamp")


def find(code: Code) -> Iterator[Finding]:
    """Yield each logarithm of a probability and a small number, and each clip that is wrong."""
    for call in code.calls:
        if not code.without_gradient(call):
            yield from _logarithm(call, code)
        yield from _clip(call, code)


def _logarithm(call: ast.Call, code: Code) -> Iterator[Finding]:
    given = code.logarithm_of(call)
    value = code.value(given)
    if isinstance(value, Tensor) and value.what == "shifted":
        assert isinstance(value.inner, Tensor)
        yield code.finding(
            call,
            also=(value.made,),
            confidence="certain",
            because=f"What is shifted is the result of a {value.inner.what}.",
            fix=f"use log_{value.inner.what} of the logits, without a small number",
        )
    elif given is not None and (of := _shifted(given, code)) and _has_twin(call, of, code):
        yield code.finding(
            call,
            confidence="likely",
            because=f"log({of}) and log(1 − {of}) stand together: {of} is a probability.",
            fix="use a binary cross-entropy of logits",
        )


def _shifted(given: ast.expr, code: Code) -> str | None:
    """Return the text of a name to which a small number is added."""
    match given:
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=by) if code.flow.small(by):
            return name
    return None


def _has_twin(call: ast.Call, name: str, code: Code) -> bool:
    """Return whether the statement holds the logarithm of 1 minus the same, shifted too."""
    for each in ast.walk(code.flow.scopes.statement(call)):
        given = code.logarithm_of(each) if isinstance(each, ast.Call) else None
        match given:
            case ast.BinOp(
                left=ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Sub(), right=of),
                op=ast.Add(),
                right=by,
            ) if isinstance(of, ast.Name) and of.id == name and code.flow.small(by):
                return True
    return False


def _clip(call: ast.Call, code: Code) -> Iterator[Finding]:
    name = code.flow.qualified(call.func)
    is_method = name is None and isinstance(call.func, ast.Attribute) and call.func.attr in METHODS
    if name not in CLIPS and not is_method:
        return
    first = 0 if is_method else 1
    bounds = []
    for position, names in ((first, LOWER), (first + 1, UPPER)):
        given = [argument(call, position, each) for each in names]
        bounds.append(next((each for each in given if each is not None), None))
    low, high = (code.flow.number(each) for each in bounds)
    if low is None or high is None:
        return
    if low >= high:
        yield code.finding(
            call,
            confidence="certain",
            because=f"The bounds are {low:g} and {high:g}: every number becomes {high:g}.",
            fix="write the upper bound as 1 minus the lower one",
        )
    elif isinstance(bounds[1], ast.BinOp) and 0 < low < 0.01:
        double = name is not None and name.startswith("numpy")
        if high == 1.0 or (not double and np.float32(high) == 1):
            yield code.finding(
                call,
                confidence="certain" if high == 1.0 else "likely",
                because=f"The upper bound is exactly 1 in float{64 if high == 1.0 else 32}.",
                fix="use log_softmax or logsigmoid of logits, or a bound of 1 − 1e-7",
            )
