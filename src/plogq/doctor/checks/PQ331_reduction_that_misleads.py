"""A loss is averaged twice, or its reduction is said in words that no longer count.

## What it does
Looks for `size_average` and `reduce` in losses of PyTorch, and for a loss that is a mean already
and is divided by the number of rows once more.

## Why it matters
PyTorch has deprecated both arguments, and what they are together is hard to say: with
`reduce=False` `size_average` does not count. A mean that is divided by 32 rows again has a gradient
that is 32 times too small, and depends on the size of the batch.

## Example
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.cross_entropy(model(x), y, size_average=False)
```

## Use instead
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.cross_entropy(model(x), y, reduction="sum")
```

## Fix safety
Safe where one of both arguments is given, as True or False: the same is written by its new name. A
loss that is divided twice has no fix, since the learning rate may have been chosen for it.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Edit, Finding
from plogq.doctor.source.code import Code

OLD = {("size_average", True): "mean", ("size_average", False): "sum",
       ("reduce", True): "mean", ("reduce", False): "none"}  # fmt: skip


def find(code: Code) -> Iterator[Finding]:
    """Yield each loss with an argument of old, or that is divided by the rows once more."""
    for call in code.calls:
        api = code.loss_api(call)
        old = [each for each in call.keywords if each.arg in ("size_average", "reduce")]
        if api is not None and api.framework == "torch" and old:
            yield code.finding(
                call,
                confidence="certain",
                because=f"{' and '.join(str(each.arg) for each in old)} is deprecated.",
                fix="use reduction",
                edits=_renamed(old, call, code),
            )
    for node in code.nodes:
        use = code.divided_loss(node)
        if use is None or use.api.framework != "torch" or not use.is_mean:
            continue
        assert isinstance(node, (ast.BinOp, ast.AugAssign))
        if _counts_rows(node.right if isinstance(node, ast.BinOp) else node.value):
            yield code.finding(
                node.left if isinstance(node, ast.BinOp) else node.value,
                also=(use.made,),
                confidence="likely",
                because=f"{use.name} is the mean over the rows already.",
                fix='leave out the division, or use reduction="sum"',
            )


def _renamed(old: list[ast.keyword], call: ast.Call, code: Code) -> tuple[Edit, ...]:
    value = old[0].value
    if len(old) > 1 or any(each.arg == "reduction" for each in call.keywords):
        return ()
    if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
        return ()
    new = OLD[str(old[0].arg), value.value]
    return code.replacement(old[0], f'reduction="{new}"')


def _counts_rows(expr: ast.expr) -> bool:
    """Return whether an expression is the number of rows of a batch."""
    match expr:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            return "load" not in name and "data" not in name
        case ast.Call(func=ast.Attribute(attr="size"), args=[ast.Constant(value=0)]):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant(value=0)):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in ("batch_size", "bs", "batchsize")
    return False
