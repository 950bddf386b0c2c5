"""The path of every softmax loss: arguments to a question, which an engine answers."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import refuse
from plogq.formulas import softmax_core
from plogq.kernels.arguments import check_ignore_index, check_softcap
from plogq.kernels.question import PLAIN, Options, Statistics, check_options
from plogq.torch.checks import check_classes, check_real, check_tensors
from plogq.torch.engines import ENGINES
from plogq.torch.engines.blocks import CROSS_ENTROPY
from plogq.torch.options import SoftmaxOptions, TemperedOptions, bending
from plogq.torch.questions import Answer, RowLoss, Rows, arithmetic
from plogq.torch.reductions import given_denominator, reduction_name

_IMAGE = 32  # positions: logits with fewer per image are copied into rows


def softmax_loss(
    input: Tensor,
    target: Tensor | None,
    loss: RowLoss = CROSS_ENTROPY,
    *,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    by_class: bool = False,
    teacher: Tensor | None = None,
    **options: Unpack[SoftmaxOptions],
) -> Any:
    """Return the loss, or (loss, Statistics); `SoftmaxOptions` says what the keywords mean."""
    row_weight, mask = options.get("row_weight"), options.get("mask")
    check_tensors(input=input, target=target, weight=weight, row_weight=row_weight, mask=mask)
    x, rows = question(
        prepared(input, options),
        target,
        loss,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction_name(size_average, reduce, reduction, options.get("denominator")),
        label_smoothing=label_smoothing,
        options=options,
    )
    rows.by_class, rows.teacher = by_class, teacher
    return shaped(ENGINES.choose(x, rows).answer(x, rows), rows)


def question(
    input: Tensor,
    target: Tensor | None,
    loss: RowLoss = CROSS_ENTROPY,
    *,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
    options: SoftmaxOptions,
) -> tuple[Tensor, Rows]:
    """Return (R, C) logits and all that is asked of them, as `ask` does, with the options."""
    if not loss.native:
        _refuse_bending(loss, options.get("gamma"), weight, label_smoothing)
    row_weight, denominator = options.get("row_weight"), options.get("denominator")
    x, rows = ask(
        input,
        target,
        loss,
        weight=weight,
        ignore_index=ignore_index,
        mask=options.get("mask"),
        options=bending(label_smoothing, options),
    )
    rows.reduction = reduction
    rows.inplace, rows.validate = options.get("inplace", False), options.get("validate", True)
    rows.statistics = options.get("return_stats", False)
    if row_weight is not None:
        rows.row_weight = _row_weight(row_weight, rows, arithmetic(input))
    if denominator is not None:
        rows.denominator = given_denominator(denominator)
    return x, rows


def shaped(answer: Answer, rows: Rows) -> Any:
    """Return an engine's answer in the shape of the input: the loss, or (loss, Statistics)."""
    found, stats = answer
    if rows.reduction == "none":
        found = found.reshape(rows.shape)
    if stats is None:
        return found
    lse, entropy, argmax = (by_row.reshape(rows.shape) for by_row in stats[:3])
    return found, Statistics(lse, entropy, argmax, stats.accuracy)


def ask(
    input: Tensor,
    target: Tensor | None,
    loss: RowLoss = CROSS_ENTROPY,
    *,
    weight: Tensor | None,
    ignore_index: int,
    mask: Tensor | None = None,
    options: Options = PLAIN,
) -> tuple[Tensor, Rows]:
    """Return (R, C) logits and the question about their rows, after checking all shapes.

    Logits of more axes come as (N, S, C) if memory allows it without a copy.
    """
    dtype = arithmetic(input)
    check_classes("input", input)
    check_options(options)
    if type(ignore_index) is not int or abs(ignore_index) >> 31:
        check_ignore_index(ignore_index)
    soft = target is not None and _is_soft(input, target)
    if soft and ignore_index >= 0:
        expected = "be left out with distributions, where `mask` leaves rows out"
        refuse("ignore_index", expected, ignore_index)
    x, shape = classes_last(input)
    if target is not None:
        target = classes_last(target)[0] if soft else _labels(target)
    if weight is not None:
        weight = _class_weight(weight, x.shape[-1]).to(dtype)
    keep = None if mask is None else _per_row("mask", mask, shape)
    return x, Rows(target, soft, ignore_index, weight, keep, options, shape, loss=loss)


def _refuse_bending(
    loss: RowLoss, gamma: float | None, weight: Tensor | None, label_smoothing: float
) -> None:
    """Refuse the options that the loss has not."""
    given: dict[str, object] = {"gamma": gamma or None}
    if loss.cost is None:
        given |= {"weight": weight, "label_smoothing": label_smoothing or None}
    for name, value in given.items():
        if value is not None:
            refuse(name, "be left out: it belongs to cross-entropy", value)


def classes_last(x: Tensor) -> tuple[Tensor, torch.Size]:
    """Give logits (C,), (N, C) or (N, C, d1, …) as rows, and the shape of their losses."""
    if x.ndim == 2:
        return x, x.shape[:1]
    x = x.movedim(0 if x.ndim == 1 else 1, -1)
    shape, classes = x.shape[:-1], x.shape[-1]
    if shape[1:].numel() < _IMAGE or len(shape) < 2:
        return x.reshape(shape.numel(), classes), shape
    return x.reshape(shape[0], shape[1:].numel(), classes), shape


def prepared(x: Tensor, options: SoftmaxOptions | TemperedOptions) -> Tensor:
    """Return the logits after the softcap, if there is one."""
    softcap = options.get("softcap")
    return x if softcap is None else capped(x, softcap)


def capped(x: Tensor, softcap: float) -> Tensor:
    """Return softcap · tanh(x / softcap), in the dtype of arithmetic."""
    check_softcap(softcap)
    bounded: Tensor = softmax_core.capped(xp, x.to(arithmetic(x)), softcap)
    return bounded


def _is_soft(input: Tensor, target: Tensor) -> bool:
    """Tell distributions from class indices, by their shape."""
    if target.shape == input.shape:
        if not target.is_floating_point():
            expected = "be floating point as distributions in the input's shape"
            refuse("target", expected, target.dtype, error=TypeError)
        return True
    check_label_shape(input, target, ", or the input's as distributions")
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        refuse("target", "be integers as class indices", target.dtype, error=TypeError)
    return False


def check_label_shape(input: Tensor, target: Tensor, otherwise: str = "") -> None:
    """Refuse class indices that are not one for each row of the input."""
    rows = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape == rows:
        return
    came = str(tuple(target.shape))
    if target.shape == input.shape[:-1] and input.ndim > 2:
        came += ": classes are on axis 1, where input.movedim(-1, 1) brings them"
    refuse("target", f"have shape {tuple(rows)} as class indices{otherwise}", came)


def _labels(target: Tensor) -> Tensor:
    plain = target.dtype == torch.int64 and target.ndim == 1
    return target if plain else target.flatten().long()


def _class_weight(weight: Tensor, classes: int) -> Tensor:
    check_real("weight", weight)
    if weight.shape != (classes,):
        refuse("weight", f"have shape ({classes},)", tuple(weight.shape))
    return weight


def _per_row(name: str, values: Tensor, shape: tuple[int, ...]) -> Tensor:
    check_real(name, values)
    if values.shape != shape:
        refuse(name, f"have the shape of the unreduced loss {tuple(shape)}", tuple(values.shape))
    if (name == "mask") != (values.dtype == torch.bool):
        kind = "bool" if name == "mask" else "numbers"
        refuse(name, f"be {kind}", values.dtype, error=TypeError)
    return values.reshape(-1)


def _row_weight(row_weight: Tensor, rows: Rows, dtype: torch.dtype) -> Tensor:
    """Give the weight of each row, (R,), and 0 where it is left out, whatever it was there."""
    weight, kept = _per_row("row_weight", row_weight, rows.shape).to(dtype), rows.kept()
    return weight if kept is None else torch.where(kept, weight, 0.0)
