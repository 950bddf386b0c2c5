"""Checks of input: bad rows are refused, or become NaN where values cannot be read.

Values cannot be read in a graph, in a transform, and on a tensor without values. There the loss and
the gradient of a bad row are NaN, so that they are never taken for a result.
"""

from __future__ import annotations

from typing import NoReturn

import torch
from array_api_compat import torch as xp
from torch import Tensor
from torch.masked import MaskedTensor

from plogq.errors import refuse
from plogq.formulas.arrays import first_row, shown
from plogq.formulas.distributions import check_distribution
from plogq.torch.private import in_transform, is_fake, is_traced
from plogq.torch.questions import Rows, arithmetic


def values_known(x: Tensor) -> bool:
    """Tell whether a check may read values: not in a graph, a transform, or on a meta tensor."""
    return not (torch.compiler.is_compiling() or in_transform() or is_fake(x) or is_traced())


def on_host(x: Tensor) -> bool:
    """Tell whether the values of x can be read without a wait for another device."""
    return x.device.type == "cpu"


def nan_unless(sound: Tensor, x: Tensor) -> Tensor:
    """Return x times 1, or times NaN where it is not sound, so that its gradient is NaN, too."""
    factor = torch.where(sound, 1.0, torch.nan)
    return x * (factor.to(x.dtype) if x.is_floating_point() else factor)


def check_tensors(**named: Tensor | None) -> None:
    """Refuse an argument that is no dense tensor, or is not on the device of the first."""
    where: torch.device | None = None
    for name, x in named.items():
        if x is None:
            continue
        if not isinstance(x, Tensor):
            refuse(name, "be a torch.Tensor", type(x).__name__, error=TypeError)
        if x.layout is not torch.strided or x.is_nested or isinstance(x, MaskedTensor):
            _refuse_sparse(name, x)
        if where is None:
            where = x.device
        elif x.device != where:
            refuse(name, f"be on the device of {next(iter(named))}, {where}", x.device)


def _refuse_sparse(name: str, x: Tensor) -> NoReturn:
    """Refuse a sparse, nested or masked tensor, and say how to make it dense."""
    if isinstance(x, MaskedTensor):
        kind, dense = "a masked tensor", "get_data(), with a mask or weights for what is left out"
    elif x.is_nested:
        kind, dense = (
            "a nested tensor",
            "to_padded_tensor(0), with a mask or weights for what is padding",
        )
    else:
        kind, dense = f"a tensor of layout {x.layout}", "to_dense()"
    refuse(name, f"be dense: take its {dense}", kind, error=TypeError)


def check_real(name: str, x: Tensor) -> None:
    """Refuse complex numbers; torch would only warn and drop the imaginary part."""
    if x.is_complex():
        refuse(name, "be real", x.dtype, error=TypeError)


def check_classes(name: str, x: Tensor) -> None:
    """Refuse logits without classes."""
    if x.ndim == 0 or x.shape[min(1, x.ndim - 1)] == 0:
        refuse(name, "have a class axis, not empty", f"shape {tuple(x.shape)}")


def check_rows(x: Tensor, rows: Rows) -> None:
    """Refuse a bad target of logits x; where values are not known, mark its row in `rows.sound`."""
    if rows.target is None or rows.sound is not None:
        return
    if not values_known(rows.target):
        rows.sound = sound_rows(rows, x)
        return
    if not rows.validate:
        return
    kept, classes = rows.kept(), x.shape[-1]
    if rows.soft:
        target, tolerance = rows.distributions().detach(), _tolerance(rows, x)
        if kept is not None:
            target = torch.where(kept[:, None], target, 1 / classes)
        if not _are_distributions(target, tolerance):  # the slow check finds the row
            check_distribution(xp, target.reshape(*rows.shape, classes), "target", tolerance)
        return
    target = rows.target
    bad = (target < 0) | (target >= classes)
    row = first_row(xp, (bad if kept is None else bad & kept).reshape(rows.shape))
    if row is not None:
        expected = f"be a class index in [0, {classes}) or the ignore_index {rows.ignore_index}"
        refuse("target", expected, int(target.reshape(rows.shape)[row]), row=row)


def sound_rows(rows: Rows, x: Tensor) -> Tensor | None:
    """Give (R,) bool: whether a row is left out or its target is sound; None without validation.

    Labels are always checked, since a label that is no class must not be used as an index.
    """
    assert rows.target is not None
    kept = rows.kept()
    sound: Tensor
    if not rows.soft:
        sound = (rows.target >= 0) & (rows.target < x.shape[-1])
    elif rows.validate:
        target = rows.distributions().detach()
        excess = target.sum(-1, dtype=arithmetic(target)) - 1
        sound = (target >= 0).all(-1) & (excess.abs() <= _tolerance(rows, x))
    else:
        return None
    return sound if kept is None else sound | ~kept


def _tolerance(rows: Rows, x: Tensor) -> float:
    """Return how far from 1 a distribution may sum."""
    assert rows.target is not None
    eps = max(torch.finfo(dtype).eps for dtype in (rows.target.dtype, arithmetic(x)))
    return float(eps**0.5)


def _are_distributions(target: Tensor, tolerance: float) -> bool:
    if not target.numel():
        return True
    totals = target.sum(-1, dtype=arithmetic(target)).aminmax()
    return bool(
        (target.amin() >= 0) & (totals.min >= 1 - tolerance) & (totals.max <= 1 + tolerance)
    )


def least_of(x: Tensor) -> float | None:
    """Give the least element, or None where values are not known."""
    return x.detach().amin().item() if values_known(x) and x.numel() else None


def check_picked(picked: Tensor, rows: Rows) -> None:
    """Refuse the first of the (R,) picked log-probabilities that is above 0.

    NaN passes, and then shows in the loss.
    """
    sound, kept = ~(picked.detach() > log_limit(picked)), rows.kept()
    if kept is not None:
        sound = sound | ~kept
    if not values_known(picked):
        rows.sound = sound if rows.sound is None else rows.sound & sound
        return
    row = first_row(xp, ~sound.reshape(rows.shape))
    if row is not None:
        expected = "be log-probabilities, at most 0 (of logits, take cross_entropy)"
        refuse("input", expected, shown(picked.reshape(rows.shape), row), row=row)


def log_limit(x: Tensor) -> float:
    """Return how far above 0 a log-probability may be: √eps.

    The logarithm of a distribution that sums to 1 within √eps may be as large as that.
    """
    return float(torch.finfo(x.dtype).eps ** 0.5) if x.is_floating_point() else 0.0


def check_range(
    name: str, x: Tensor, low: float, high: float, expected: str, *, or_nan: bool = False
) -> tuple[Tensor, float | None]:
    """Refuse the first element outside [low, high] (and NaN, without `or_nan`).

    Returns x, with NaN for such an element where values are not known, and the least element, or
    None where it is not known. Good input takes one pass.
    """
    if not values_known(x):
        return nan_unless((x >= low) & (x <= high), x), None
    if not x.numel():
        return x, None
    least, most = x.detach().aminmax()
    if not (least >= low and most <= high):
        inside = (x >= low) & (x <= high)
        row = first_row(xp, ~(inside | x.isnan() if or_nan else inside))
        if row is not None:
            refuse(name, expected, shown(x, row), row=row)
    return x, least.item()


def check_unit_interval(name: str, x: Tensor) -> Tensor:
    """Refuse the first element outside [0, 1]; where values are not known, make it NaN."""
    return check_range(name, x, 0, 1, "be in [0, 1]")[0]
