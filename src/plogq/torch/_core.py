"""The path of every softmax loss: arguments to rows, rows to losses, losses to their reduction."""

from __future__ import annotations

from typing import Any, TypedDict

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.kernels.arguments import check_ignore_index, check_options, check_softcap
from plogq.torch import _compiled, _kernel, _slopes
from plogq.torch._bridge import fits, loss_of
from plogq.torch._check import (
    check_classes,
    check_real,
    check_rows,
    check_tensors,
    say_fallback,
)
from plogq.torch._formula import RowLoss, cross_entropy_rows, formula_statistics, row_losses
from plogq.torch._reduce import given_denominator, reduced, reduction_name, total_weight, weighed
from plogq.torch._rows import Rows, Statistics, arithmetic

CROSS_ENTROPY = RowLoss(cross_entropy_rows, _slopes.focal_slopes)
_IMAGE = 32  # positions that an image must have to be worth a place of its own among the rows


class RowOptions(TypedDict, total=False):
    """The keywords that every softmax loss takes beyond torch's, freely combined.

    Attributes
    ----------
    z_loss : float
        Adds z_loss · (log Σ exp z)² to the loss of each row: it keeps the normaliser near 1.
    softcap : float
        Logits become softcap · tanh(x / softcap) first; −inf stays −inf.
    row_weight : Tensor
        One number per row, in the shape of the unreduced loss. A mean divides by their sum. A row
        of weight 0 has no say, even where its loss is inf.
    mask : Tensor
        bool, in the same shape: a row that is False is left out, whatever it holds.
    denominator : float or 0-d Tensor
        Divides the mean instead of this batch's own total weight: the total of the global batch,
        at least 0. 0 says that nothing is left anywhere, and divides as 1.
    inplace : bool
        Let the gradient overwrite the logits, where that saves its memory. They must not be a leaf,
        and are garbage afterwards, also where a distribution is refused; autograd raises if
        something else still needed them.
    return_stats : bool
        Give (loss, Statistics), from the same pass.
    validate : bool
        Refuse targets that are no distribution: on unless False. A label that is no class is
        refused either way, by torch where not by us. Values are not looked at inside torch.func
        transforms, while a graph is traced, and on meta tensors; inside torch.compile only by the
        operator of cross-entropy.
    """

    z_loss: float
    softcap: float | None
    row_weight: Tensor | None
    mask: Tensor | None
    denominator: float | Tensor | None
    inplace: bool
    return_stats: bool
    validate: bool


class TemperedOptions(RowOptions, total=False):
    """`RowOptions`, and a temperature.

    Attributes
    ----------
    temperature : float
        T: the loss of z = x / T, with its gradient in x.
    """

    temperature: float


class SoftmaxOptions(TemperedOptions, total=False):
    """`TemperedOptions`, and the exponent of the focal loss.

    Attributes
    ----------
    gamma : float
        γ: a class's term counts (1 − p)^γ.
    """

    gamma: float


def softmax_loss(
    input: Tensor,
    target: Tensor | None,
    row_loss: RowLoss = CROSS_ENTROPY,
    *,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    mean_by_class_weight: bool = False,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    gamma: float = 0.0,
    row_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: float | Tensor | None = None,
    inplace: bool = False,
    return_stats: bool = False,
    validate: bool = True,
    **unknown: object,
) -> Any:
    """Give the loss, or (loss, Statistics); `SoftmaxOptions` says what the keywords mean."""
    if unknown:
        known = ", ".join(SoftmaxOptions.__annotations__)
        raise TypeError(f"unexpected keyword argument {next(iter(unknown))!r}; options: {known}")
    if row_loss is not CROSS_ENTROPY:
        given = {
            "gamma": gamma or None,
            "weight": weight,
            "label_smoothing": label_smoothing or None,
        }
        for name, value in given.items():
            if value is not None:
                refuse(name, "be left out: it belongs to cross-entropy", value)
    reduction = reduction_name(size_average, reduce, reduction, denominator)
    check_tensors(input=input, target=target, weight=weight, row_weight=row_weight, mask=mask)
    if softcap is not None:
        input = capped(input, softcap)
    x, rows = make_rows(
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        mask=mask,
        label_smoothing=label_smoothing,
        gamma=gamma,
        temperature=temperature,
        z_loss=z_loss,
        validate=validate,
    )
    if row_weight is not None:
        row_weight = _row_weight(row_weight, rows, arithmetic(input))
    if denominator is not None:
        denominator = given_denominator(denominator)

    stats, native = None, row_loss is CROSS_ENTROPY and _kernel.takes(x, rows)
    # Here the kernel reduces too: then it has the gradient in the same pass.
    at_once = native and reduction != "none" and not _requires_grad(row_weight)
    if denominator is None and reduction == "mean":
        by_rows = rows.soft and mean_by_class_weight and rows.weight is not None
        if by_rows or not at_once:  # else the kernel counts
            denominator = total_weight(rows, row_weight, mean_by_class_weight)
    if native:
        divisor = 1.0 if reduction == "sum" else denominator
        job = _kernel.RowJob(
            rows,
            at_once,
            row_weight if at_once else None,
            None if divisor is None or not at_once else float(divisor),
            inplace,
            return_stats,
        )
        try:
            loss, stats = _kernel.kernel_loss(x, job)
        except ValueError:
            check_rows(x, rows)  # which knows where a row is in a map of more axes
            raise
    else:
        check_options(label_smoothing, gamma, temperature, z_loss)
        if row_loss is CROSS_ENTROPY and _compiled.takes(x, rows):
            loss, stats = _compiled.row_losses(x, rows, stats=return_stats)
        else:
            if not (torch.compiler.is_compiling() or fits(x)):
                say_fallback(x.device.type, x.dtype)
            check_rows(x, rows)
            if not return_stats and _slopes.takes(x, rows, row_loss, row_weight):
                at_once = reduction != "none"
                divisor = float(1.0 if denominator is None else denominator) or 1.0
                slopes = _slopes.SlopeJob(rows, row_loss, None, None)
                if at_once:
                    slopes.row_weight, slopes.denominator = row_weight, divisor
                loss = loss_of(x, slopes)
            else:
                loss, parts = row_losses(x, rows, row_loss)
                stats = formula_statistics(rows, parts) if return_stats else None
    if not at_once:
        loss = reduced(weighed(loss, row_weight), reduction, denominator)
    if reduction == "none":
        loss = loss.reshape(rows.shape)
    if stats is None:
        return loss
    lse, entropy, argmax = (by_row.reshape(rows.shape) for by_row in stats[:3])
    return loss, Statistics(lse, entropy, argmax, stats.accuracy)


def make_rows(
    input: Tensor,
    target: Tensor | None,
    *,
    weight: Tensor | None,
    ignore_index: int,
    mask: Tensor | None = None,
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    validate: bool = True,
) -> tuple[Tensor, Rows]:
    """Give (R, C) logits and what is asked of each row, after checking all shapes.

    Logits of more axes come as (N, S, C), where memory allows it without a copy.
    """
    dtype = arithmetic(input)
    check_classes("input", input)
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
    options = (label_smoothing, gamma, temperature, z_loss, validate, shape)
    return x, Rows(target, soft, ignore_index, weight, keep, *options)


def classes_last(x: Tensor) -> tuple[Tensor, torch.Size]:
    """Give logits (C,), (N, C) or (N, C, d1, …) as rows, and the shape of their losses."""
    if x.ndim == 2:
        return x, x.shape[:1]
    x = x.movedim(0 if x.ndim == 1 else 1, -1)
    shape, classes = x.shape[:-1], x.shape[-1]
    if shape[1:].numel() < _IMAGE or len(shape) < 2:
        return x.reshape(shape.numel(), classes), shape
    return x.reshape(shape[0], shape[1:].numel(), classes), shape


def capped(x: Tensor, softcap: float) -> Tensor:
    """softcap · tanh(x / softcap), where −inf stays a masked class; in the dtype of arithmetic."""
    check_softcap(softcap)
    x = x.to(arithmetic(x))
    return torch.where(x == -torch.inf, x, softcap * torch.tanh(x / softcap))


def _is_soft(input: Tensor, target: Tensor) -> bool:
    """Tell distributions from class indices, by their shape."""
    if target.shape == input.shape:
        if not target.is_floating_point():
            expected = "be floating point as distributions in the input's shape"
            refuse("target", expected, target.dtype, error=TypeError)
        return True
    rows = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape != rows:
        expected = f"have shape {tuple(rows)} as class indices, or the input's as distributions"
        refuse("target", expected, tuple(target.shape))
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        refuse("target", "be integers as class indices", target.dtype, error=TypeError)
    return False


def _labels(target: Tensor) -> Tensor:
    plain = target.dtype == torch.int64 and target.ndim == 1
    return target if plain else target.flatten().long()


def _class_weight(weight: Tensor, classes: int) -> Tensor:
    check_real("weight", weight)
    if weight.shape != (classes,):
        refuse("weight", f"have shape ({classes},)", tuple(weight.shape))
    return weight


def _per_row(name: str, values: Tensor, shape: torch.Size) -> Tensor:
    check_real(name, values)
    if values.shape != shape:
        refuse(name, f"have the shape of the unreduced loss {tuple(shape)}", tuple(values.shape))
    if (name == "mask") != (values.dtype == torch.bool):
        kind = "bool" if name == "mask" else "numbers"
        refuse(name, f"be {kind}", values.dtype, error=TypeError)
    return values.reshape(-1)


def _row_weight(row_weight: Tensor, rows: Rows, dtype: torch.dtype) -> Tensor:
    """Give what each row counts, 0 where it is left out: there it may be anything."""
    weight, kept = _per_row("row_weight", row_weight, rows.shape).to(dtype), rows.kept()
    return weight if kept is None else torch.where(kept, weight, 0.0)


def _requires_grad(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad and torch.is_grad_enabled()
