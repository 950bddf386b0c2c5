"""K-dimensional logits and the options object of torch's `linear_cross_entropy`.

Such logits, (N, C, d1, …), come of a matrix (C, D) for each position, which is a head of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.torch.checks import check_tensors
from plogq.torch.questions import Rows
from plogq.torch.reductions import given_denominator, not_zero, total_weight

# The loss of the head of a matrix, a target and a bias under some options, and its question.
OneHead = Callable[[Tensor, Tensor, Tensor | None, str, dict[str, Any]], tuple[Tensor, Rows]]


def check_chunking(chunking: Any, input: Tensor) -> None:
    """Refuse what torch's options object asks of chunks or sums that is not done here."""
    if chunking is None:
        return
    if type(chunking).__name__ != "LinearCrossEntropyOptions":
        expected = "be a torch.nn.LinearCrossEntropyOptions, or None"
        refuse("options", expected, type(chunking).__name__, error=TypeError)
    if chunking.batch_chunk_size is not None or chunking.chunking_method not in ("auto", None):
        asked = chunking.batch_chunk_size or chunking.chunking_method
        refuse("options", "leave the chunks to `workspace`, which bounds the memory", asked)
    wide = torch.float64 if input.dtype == torch.float64 else torch.float32
    if chunking.acc_dtype not in (None, wide):
        expected = f"have an acc_dtype of None or {wide}, in which gradients are summed here"
        refuse("options", expected, chunking.acc_dtype)


def loss_of_positions(
    input: Tensor,
    matrices: Tensor,
    target: Tensor,
    bias: Tensor | None,
    reduction: str,
    options: dict[str, Any],
    one_head: OneHead,
) -> Tensor:
    """Return the loss of K-dimensional logits, as `cross_entropy` reduces it.

    `matrices` are (C, d1, …, D), the bias (C, d1, …), the target (N, d1, …) or (N, C, d1, …), and
    what is given by row (N, d1, …).
    """
    classes, *axes, width = matrices.shape
    by_row = {name: options.get(name) for name in ("row_weight", "mask")}
    check_tensors(input=input, linear_weight=matrices, target=target, linear_bias=bias, **by_row)
    _check_shapes(input, matrices, target, bias, by_row)
    count = torch.Size(axes).numel()
    soft = target.ndim > len(axes) + 1
    targets = target.reshape(len(input), *([classes] if soft else []), count).unbind(-1)
    biases = [None] * count if bias is None else bias.reshape(classes, count).unbind(1)
    of_rows = {
        name: t.reshape(len(input), count).unbind(1) for name, t in by_row.items() if t is not None
    }
    denominator = options.pop("denominator", None)
    losses, totals = [], []
    for k, matrix in enumerate(matrices.reshape(classes, count, width).unbind(1)):
        given = options | {name: each[k] for name, each in of_rows.items()}
        each = "sum" if reduction == "mean" else reduction
        loss, rows = one_head(matrix, targets[k], biases[k], each, given)
        losses.append(loss)
        if reduction == "mean" and denominator is None:
            totals.append(total_weight(rows))
    if reduction == "none":
        return torch.stack(losses, -1).reshape(len(input), *axes)
    total = torch.stack(losses).sum()
    if reduction == "sum":
        return total
    divisor = sum(totals) if denominator is None else given_denominator(denominator)
    return total / not_zero(divisor)


def _check_shapes(
    input: Tensor,
    matrices: Tensor,
    target: Tensor,
    bias: Tensor | None,
    by_row: dict[str, Tensor | None],
) -> None:
    classes, *axes, width = matrices.shape
    if input.ndim != 2 or input.shape[1] != width:
        expected = f"have shape (N, {width}) beside a linear_weight of {matrices.ndim} axes"
        refuse("input", expected, tuple(input.shape))
    if not matrices.numel():
        refuse("linear_weight", "have no axis of size 0", tuple(matrices.shape))
    rows = (len(input), *axes)
    shapes = rows, (len(input), classes, *axes)
    if target.shape not in shapes:
        expected = f"have shape {shapes[0]} as class indices, or {shapes[1]}"
        refuse("target", expected, tuple(target.shape))
    if bias is not None and bias.shape != matrices.shape[:-1]:
        refuse("linear_bias", f"have shape {tuple(matrices.shape[:-1])}", tuple(bias.shape))
    for name, t in by_row.items():
        if t is not None and t.shape != rows:
            refuse(name, f"have the shape of the unreduced loss {rows}", tuple(t.shape))
