"""Questions that a copy of the model, or the loss alone, can answer from one batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from plogq.doctor.readings import are_hot, step
from plogq.doctor.runtime.by_heart import RATES, ROWS, Cost, follow
from plogq.doctor.runtime.pytorch.copies import copied, copied_loss
from plogq.doctor.runtime.pytorch.drops import Drops
from plogq.doctor.runtime.pytorch.loss_name import NamedLoss, exact, named, values
from plogq.doctor.runtime.pytorch.steps import LookError, Step
from plogq.doctor.runtime.pytorch.tensors import full
from plogq.doctor.runtime.squared_error import squared_error as of_squared_error
from plogq.doctor.runtime.training import (
    HalfPrecisionLoss,
    ModeLosses,
    OverfitTrial,
    ShuffledLabels,
    SplitBatch,
    SquaredError,
)
from plogq.kernels.arrays import to_numpy

HALVES = (torch.float16, torch.bfloat16)
DROPOUTS = (
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout,
)  # fmt: skip
BY_MODE = (*DROPOUTS, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
ALIKE = 1e-4  # of outputs, in which they differ by chance behind many layers
ORDERS = 3  # in which the labels are tried


def shuffled_labels(loss: Any, at: Step) -> ShuffledLabels | None:
    """Return the loss of the same outputs with the labels of other rows; None if it says nothing.

    Labels are whole numbers, or rows of 0 and 1. Rows of outputs must differ, and not all of them
    say the same of every class, as behind weights of 0: then each label costs as much as another.
    """
    outputs, target = at.outputs, at.target
    if at.own_loss or not isinstance(outputs, Tensor) or not isinstance(target, Tensor):
        return None
    rows = target.shape[0] if target.ndim else 0
    if rows < 2 or outputs.ndim == 0 or outputs.shape[0] != rows or not _are_labels(target):
        return None
    if _all_alike(outputs.detach()) or _all_alike(target) or leaves_out(loss, 1):
        return None
    if outputs.ndim > 1 and outputs.shape[1] > 1 and _all_alike(outputs.detach().movedim(1, 0)):
        return None
    found, loss = [], copied_loss(loss)
    for turn in range(1, ORDERS + 1):
        # Each row gets the label of the next one that has another.
        order = torch.arange(rows, device=target.device).roll(turn)
        if torch.equal(target[order], target):
            continue
        found.append(_wide(loss, at, target[order]))
    if not found:
        return None
    value = _wide(loss, at, target)
    return ShuffledLabels(value, tuple(found), step("float32") * max(abs(value), 1.0), rows)


def leaves_out(loss: Any, place: int) -> bool:
    """Return whether a function says that it does not read an argument: its name begins with _."""
    code = getattr(loss, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]
    return len(names) > place and names[place].startswith("_")


def _wide(loss: Any, at: Step, target: Tensor) -> float:
    """Return the loss with another target, in float32: half precision hides small changes."""
    args, kwargs = at.with_target(target)
    wide, named = _widened(args, kwargs, torch.float32)
    with torch.no_grad():
        return float(loss(*wide, **named).mean())


def _widened(args: Any, kwargs: Any, dtype: torch.dtype) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a loss, those of half precision as another type."""

    def widened(each: Any) -> Any:
        return each.to(dtype) if isinstance(each, Tensor) and each.dtype in HALVES else each

    return [widened(each) for each in args], {k: widened(each) for k, each in kwargs.items()}


def _are_labels(target: Tensor) -> bool:
    return not target.is_floating_point() or are_hot(to_numpy("target", target))


def _all_alike(x: Tensor) -> bool:
    """Return whether the rows of a tensor differ by no more than what sums leave of rounding."""
    spread = (x - x[:1]).abs().double().max()
    return bool(spread <= ALIKE * max(1.0, float(x.abs().double().max())))


def split_batch(loss: Any, at: Step) -> SplitBatch | None:
    """Return the loss of the whole batch and of its halves, of the same outputs."""
    outputs, target = at.outputs, at.target
    if at.own_loss or not isinstance(outputs, Tensor) or not isinstance(target, Tensor):
        return None
    rows = outputs.shape[0] if outputs.ndim else 0
    if rows < 2 or target.ndim == 0 or target.shape[0] != rows or len(at.args) > 2:
        return None
    if any(isinstance(each, Tensor) for name, each in at.kwargs.items()
           if name not in ("input", "target")):  # fmt: skip
        return None
    halves, numbers, loss = [], 0, copied_loss(loss)
    for part in (slice(None, rows // 2), slice(rows // 2, None)):
        with torch.no_grad():
            found = loss(outputs[part].detach(), target[part])
        halves.append(float(found.sum()))
        numbers += found.numel() if found.ndim else 0
    numbers = max(1, numbers)
    return SplitBatch(float(at.loss) * numbers, (halves[0], halves[1]), rows, numbers=numbers)


def mode_losses(model: nn.Module, loss: Any, at: Step) -> ModeLosses | None:
    """Return the loss of a batch in both modes; None where it is the same in both."""
    kinds = tuple(sorted({type(each).__name__ for each in model.modules()
                          if isinstance(each, BY_MODE)}))  # fmt: skip
    both: dict[bool, float] = {}
    always: tuple[str, ...] = ()
    for training in (False, True):
        twin, its_loss = copied(model, loss)
        twin.train(training)
        with torch.no_grad(), Drops(twin) as drops:
            value, _ = at.repeat(twin, its_loss)
        both[training] = float(value.detach())
        always = always or (() if training else tuple(sorted(drops.found)))
    if both[True] == both[False] and not always:
        return None
    return ModeLosses(
        at.forward.training, at.learning, both[True], both[False], kinds, always, at.number
    )  # fmt: skip


def overfit(model: nn.Module, loss: Any, at: Step) -> OverfitTrial | None:
    """Return how far a copy learns some rows by heart; None where they have no classes.

    Of a large batch some rows are tried, and a model with fewer parameters than rows is not.
    Dropout is off. Adam is written out here: hooks of optimizers are not for a copy.
    """
    small = at.rows(ROWS)
    parameters = sum(each.numel() for each in model.parameters() if each.requires_grad)
    if small is None or parameters < ROWS:
        return None
    try:
        return follow(_costs(*copied(model, loss), small, rate) for rate in RATES)
    except LookError:  # a batch that is a whole, as that of contrasted pairs
        return None


def _costs(model: nn.Module, loss: Any, at: Step, rate: float) -> Iterator[Cost | None]:
    """Yield what rows cost before each step of Adam; None where they have no classes."""
    model.train()
    for each in model.modules():
        if isinstance(each, DROPOUTS):
            each.eval()
    weights = [each for each in model.parameters() if each.requires_grad]
    wide = [full(each).float().clone() for each in weights]
    means = [torch.zeros_like(each) for each in wide]
    squares = [torch.zeros_like(each) for each in wide]
    for turn in count(1):
        value, output = at.repeat(model, loss)
        yield _cost(loss, at, output, value)
        for i, gradient in enumerate(torch.autograd.grad(value, weights, allow_unused=True)):
            if gradient is None:
                continue
            g = full(gradient).float()
            means[i].lerp_(g, 0.1)
            squares[i].lerp_(g * g, 0.001)
            m, v = means[i] / (1 - 0.9**turn), squares[i] / (1 - 0.999**turn)
            wide[i] -= rate * m / (v.sqrt() + 1e-8)
            with torch.no_grad():
                full(weights[i]).copy_(wide[i])


def _cost(loss: Any, at: Step, output: Any, value: Tensor) -> Cost | None:
    """Return what the rows of a batch with classes cost."""
    args, kwargs = at.arguments(output)
    forward = replace(at.forward, output=output)
    now = replace(at, forward=forward, args=args, kwargs=kwargs, loss=value.detach())
    known = named(loss, now)
    return None if known is None else Cost.of(values(known).scored)


def half_precision(loss: Any, at: Step, known: NamedLoss | None) -> HalfPrecisionLoss | None:
    """Return a loss of half precision beside the same in float64; None of a wider one."""
    if at.loss.dtype not in HALVES or (at.own_loss and known is None):
        return None
    wide = exact(known) if known is not None else _in_float64(loss, at)
    dtype = str(at.loss.dtype).removeprefix("torch.")
    return None if wide is None else HalfPrecisionLoss(dtype, float(at.loss.mean()), wide)


def _in_float64(loss: Any, at: Step) -> float | None:
    """Return what a loss function itself gives for outputs in float64; None if it takes none."""
    args, kwargs = _widened(at.args, at.kwargs, torch.float64)
    kind = at.forward.autocast[0]
    try:
        with torch.no_grad(), torch.autocast(kind, enabled=False):
            return float(copied_loss(loss)(*args, **kwargs).double().mean())
    except (RuntimeError, ValueError, TypeError):
        return None


def squared_error(at: Step, known: NamedLoss | None) -> SquaredError | None:
    """Return what squared error sends back to the logits, beside cross-entropy; None of others."""
    if known is None or known.name != "mse_loss":
        return None
    p, y = (to_numpy("outputs", each.double()) for each in (known.outputs, known.target))
    return of_squared_error(p, y)
