"""Bad input, refused with its first row; only where values can be looked at without harm."""

from __future__ import annotations

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import refuse
from plogq.formulas.arrays import first_row, shown
from plogq.formulas.distributions import check_distribution
from plogq.torch.private import in_transform, is_fake, is_traced
from plogq.torch.questions import Rows, arithmetic


def values_known(x: Tensor) -> bool:
    """Tell whether a check may read values: not in a graph, a transform, or on a meta tensor."""
    return not (torch.compiler.is_compiling() or in_transform() or is_fake(x) or is_traced())


def check_tensors(**named: Tensor | None) -> None:
    """Refuse what is no tensor, or lies on another device than the first."""
    where: torch.device | None = None
    for name, x in named.items():
        if x is None:
            continue
        if not isinstance(x, Tensor):
            refuse(name, "be a torch.Tensor", type(x).__name__, error=TypeError)
        if where is None:
            where = x.device
        elif x.device != where:
            refuse(name, f"be on the device of {next(iter(named))}, {where}", x.device)


def check_real(name: str, x: Tensor) -> None:
    """Refuse complex numbers, of which torch would drop a part with a mere warning."""
    if x.is_complex():
        refuse(name, "be real", x.dtype, error=TypeError)


def check_classes(name: str, x: Tensor) -> None:
    """Refuse logits without classes."""
    if x.ndim == 0 or x.shape[min(1, x.ndim - 1)] == 0:
        refuse(name, "have a class axis, not empty", f"shape {tuple(x.shape)}")


def check_rows(x: Tensor, rows: Rows) -> None:
    """Refuse a target of logits x that is no class, or no distribution."""
    if rows.target is None or not rows.validate or not values_known(rows.target):
        return
    kept, classes = rows.kept(), x.shape[-1]
    if rows.soft:
        target = rows.distributions().detach()
        eps = max(torch.finfo(dtype).eps for dtype in (target.dtype, arithmetic(x)))
        if kept is not None:
            target = torch.where(kept[:, None], target, 1 / classes)
        if not _are_distributions(target, eps**0.5):  # only then the slow look, for its place
            check_distribution(xp, target.reshape(*rows.shape, classes), "target", eps**0.5)
        return
    target = rows.target
    bad = (target < 0) | (target >= classes)
    row = first_row(xp, (bad if kept is None else bad & kept).reshape(rows.shape))
    if row is not None:
        expected = f"be a class index in [0, {classes}) or the ignore_index {rows.ignore_index}"
        refuse("target", expected, int(target.reshape(rows.shape)[row]), row=row)


def _are_distributions(target: Tensor, tolerance: float) -> bool:
    if not target.numel():
        return True
    totals = target.sum(-1, dtype=arithmetic(target)).aminmax()
    return bool(
        (target.amin() >= 0) & (totals.min >= 1 - tolerance) & (totals.max <= 1 + tolerance)
    )


def least_of(x: Tensor) -> float | None:
    """Give the least element, None where it is not known."""
    return x.detach().amin().item() if values_known(x) and x.numel() else None


def check_range(name: str, x: Tensor, low: float, high: float, expected: str) -> float | None:
    """Refuse the first element outside [low, high], or NaN; one pass where there is none.

    Gives the least of all, None where it is not known.
    """
    x = x.detach()
    if not values_known(x) or not x.numel():
        return None
    least, most = x.aminmax()
    if not (least >= low and most <= high):
        row = first_row(xp, ~((x >= low) & (x <= high)))
        assert row is not None
        refuse(name, expected, shown(x, row), row=row)
    return least.item()


def check_unit_interval(name: str, x: Tensor) -> None:
    """Refuse the first element that is no probability."""
    check_range(name, x, 0, 1, "be in [0, 1]")
