"""The path of every softmax loss: arguments to rows, rows to losses, losses to their reduction."""

from __future__ import annotations

from typing import Any, TypedDict

import torch
from torch import Tensor

from plogq.formulas._check import refuse
from plogq.torch import _compiled, _kernel
from plogq.torch._bridge import fits
from plogq.torch._check import check_rows, say_fallback
from plogq.torch._formula import RowLoss, cross_entropy_rows, formula_statistics, row_losses
from plogq.torch._reduce import reduced, total_weight
from plogq.torch._rows import Rows, Statistics, arithmetic


class RowOptions(TypedDict, total=False):
    """The keywords that every softmax loss takes beyond torch's, freely combined.

    Attributes
    ----------
    z_loss : float
        Adds z_loss · (log Σ exp z)² to the loss of each row: it keeps the normaliser near 1.
    softcap : float
        Logits become softcap · tanh(x / softcap) first; −inf stays −inf.
    row_weight : Tensor
        One number per row, in the shape of the unreduced loss. A mean divides by their sum.
    mask : Tensor
        bool, in the same shape: a row that is False is left out, whatever it holds.
    denominator : float or 0-d Tensor
        Divides the mean instead of this batch's own total weight: the total of the global batch.
    inplace : bool
        Let the gradient overwrite the logits, where that saves its memory. They must not be a leaf,
        and are garbage afterwards; autograd raises if something else still needed them.
    return_stats : bool
        Give (loss, Statistics), from the same pass.
    validate : bool
        Refuse targets that are no class or no distribution: on unless False. Inside torch.func
        transforms and on meta tensors values are not looked at.
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
    target: Tensor,
    row_loss: RowLoss = cross_entropy_rows,
    *,
    reduction: str,
    weight: Tensor | None = None,
    ignore_index: int = -100,
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
) -> Any:
    """Give the loss, or (loss, Statistics); `SoftmaxOptions` says what the keywords mean."""
    _check_options(label_smoothing, temperature, gamma, softcap)
    if gamma and row_loss is not cross_entropy_rows:
        refuse("gamma", "be left out: it belongs to cross-entropy", gamma)
    x, rows = make_rows(
        capped(input, softcap),
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
    row_weight = _per_row("row_weight", row_weight, rows.shape)
    native = row_loss is cross_entropy_rows and _kernel.takes(x, rows)
    if denominator is None and reduction == "mean":
        denominator = total_weight(rows, row_weight, mean_by_class_weight, native=native)

    stats, reduced_already = None, False
    if native:
        reduced_already = reduction != "none" and not _requires_grad(row_weight)
        summed = (row_weight, float(denominator or 1)) if reduced_already else ()
        try:
            loss, stats = _kernel.kernel_loss(x, rows, *summed, inplace=inplace, stats=return_stats)
        except ValueError:
            check_rows(x, rows)  # which knows where a row is in a map of more axes
            raise
    elif row_loss is cross_entropy_rows and _compiled.takes(x, rows):
        loss, stats = _compiled.row_losses(x, rows, stats=return_stats)
    else:
        if not (torch.compiler.is_compiling() or fits(x)):
            say_fallback(x.device.type, x.dtype)
        check_rows(x, rows)
        loss, parts = row_losses(x, rows, row_loss)
        stats = formula_statistics(rows, parts) if return_stats else None
    if not reduced_already:
        loss = loss if row_weight is None else loss * row_weight
        loss = reduced(loss, reduction, denominator)
    if reduction == "none":
        loss = loss.reshape(rows.shape)
    if stats is None:
        return loss
    lse, entropy, argmax = (by_row.reshape(rows.shape) for by_row in stats[:3])
    return loss, Statistics(lse, entropy, argmax, stats.accuracy)


def make_rows(
    input: Tensor,
    target: Tensor,
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
    """Give (R, C) logits and what is asked of each row, after checking all shapes."""
    dtype = arithmetic(input)
    soft = _is_soft(input, target)
    x, shape = classes_last(input)
    rows = Rows(
        classes_last(target)[0] if soft else target.flatten().long(),
        ignore_index,
        None if weight is None else _class_weight(weight, x.shape[1]).to(dtype),
        _per_row("mask", mask, shape),
        label_smoothing,
        gamma,
        temperature,
        z_loss,
        validate,
        shape,
    )
    return x, rows


def classes_last(x: Tensor) -> tuple[Tensor, torch.Size]:
    """Give (R, C) rows of logits (C,), (N, C) or (N, C, d1, …), and the shape of their losses."""
    if x.ndim == 2:
        return x, x.shape[:1]
    x = x.movedim(0 if x.ndim == 1 else 1, -1)
    shape = x.shape[:-1]
    return x.reshape(shape.numel(), x.shape[-1]), shape


def capped(x: Tensor, softcap: float | None) -> Tensor:
    """softcap · tanh(x / softcap), where −inf stays a masked class."""
    if softcap is None:
        return x
    return torch.where(x == -torch.inf, x, softcap * torch.tanh(x / softcap))


def _is_soft(input: Tensor, target: Tensor) -> bool:
    if input.ndim == 0 or input.shape[min(1, input.ndim - 1)] == 0:
        refuse("input", "have a class axis, not empty", f"shape {tuple(input.shape)}")
    if target.device != input.device:
        refuse("target", f"be on the input's device {input.device}", target.device)
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


def _class_weight(weight: Tensor, classes: int) -> Tensor:
    if weight.shape != (classes,):
        refuse("weight", f"have shape ({classes},)", tuple(weight.shape))
    return weight


def _per_row(name: str, values: Tensor | None, shape: torch.Size) -> Tensor | None:
    if values is None:
        return None
    if values.shape != shape:
        refuse(name, f"have the shape of the unreduced loss {tuple(shape)}", tuple(values.shape))
    if (name == "mask") != (values.dtype == torch.bool):
        kind = "bool" if name == "mask" else "numbers"
        refuse(name, f"be {kind}", values.dtype, error=TypeError)
    return values.reshape(-1)


def _requires_grad(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad and torch.is_grad_enabled()


def _check_options(
    label_smoothing: float, temperature: float, gamma: float, softcap: float | None
) -> None:
    if not 0 <= label_smoothing <= 1:
        refuse("label_smoothing", "be in [0, 1]", label_smoothing)
    if not temperature > 0:
        refuse("temperature", "be greater than 0", temperature)
    if not gamma >= 0:
        refuse("gamma", "be at least 0", gamma)
    if softcap is not None and not softcap > 0:
        refuse("softcap", "be greater than 0", softcap)
