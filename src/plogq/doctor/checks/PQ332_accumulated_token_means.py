"""Means over tokens are averaged as if every batch had equally many.

## What it does
Looks for a cross-entropy over tokens that is divided by a number of accumulation steps: one with an
`ignore_index`, or of outputs whose positions and rows were made one axis.

## Why it matters
A batch of 10 tokens then counts as much as one of 1,000: each of its tokens weighs 100 times as
much. The loss is another than that of one large batch; Transformers had this until October 2024.

## Example
```python
import torch.nn.functional as F

def step(model, batch, accumulation_steps):
    logits = model(batch.x)
    loss = F.cross_entropy(logits.view(-1, logits.size(-1)), batch.y.view(-1))
    (loss / accumulation_steps).backward()
```

## Use instead
```python
import torch.nn.functional as F

def step(model, batch, tokens_of_all_batches):
    logits = model(batch.x)
    flat = logits.view(-1, logits.size(-1))
    loss = F.cross_entropy(flat, batch.y.view(-1), reduction="sum")
    (loss / tokens_of_all_batches).backward()
```

## Fix safety
No fix: the number of tokens has to be counted before the first batch.

## Sources
- https://huggingface.co/blog/gradient_accumulation
- https://unsloth.ai/blog/gradient
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.losses import LossUse
from plogq.doctor.source.scopes import Assigned

STEPS = re.compile(r"accum", re.IGNORECASE)


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each mean over tokens that is divided by accumulation steps."""
    for node in code.nodes:
        use = code.divided_loss(node)
        if use is None or use.loss.of != "softmax" or not use.is_mean or not _of_tokens(use, code):
            continue
        assert isinstance(node, (ast.BinOp, ast.AugAssign))
        steps = node.right if isinstance(node, ast.BinOp) else node.value
        if STEPS.search(code.text(steps)):
            yield code.finding(
                steps,
                also=(use.call,),
                confidence="likely",
                because="Batches have unequal numbers of tokens that count.",
                fix="sum the losses, and divide by the number of tokens of all batches",
            )


def _of_tokens(use: LossUse, code: Code) -> bool:
    """Return whether the rows are tokens: some are ignored, or an axis of positions was folded."""
    outputs = use.outputs
    if isinstance(outputs, ast.Name):
        found = code.flow.scopes.definition(outputs)
        outputs = found.value if isinstance(found, Assigned) and found.index is None else None
    match outputs:
        case ast.Call(func=ast.Attribute(attr="view" | "reshape"), args=[first, _]):
            return code.flow.number(first) == -1 or "ignore_index" in use.options
    return "ignore_index" in use.options
