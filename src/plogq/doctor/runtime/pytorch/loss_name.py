"""Which loss a function computes: by its name, or by what it gives."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from plogq.doctor.losses import LOSSES, function_of
from plogq.doctor.runtime.pytorch.steps import Step
from plogq.doctor.values import Values, values_of

# The options that the checks of values know, and that modules keep as attributes.
OPTIONS = (
    "ignore_index", "label_smoothing", "reduction", "weight", "log_target", "pos_weight", "beta",
    "delta",
)  # fmt: skip
CLOSE = 1e-4  # of the loss: sums in half precision, or in another order
EQUAL = 1e-6  # of the loss, in float32: before training, most means of losses are about ln C
# How autograd calls what only changes a shape or a type, and activations.
SHAPES = ("View", "UnsafeView", "Squeeze", "Unsqueeze", "Select", "Transpose", "Permute", "ToCopy",
          "Slice", "TBackward", "ReshapeAlias", "Clone")  # fmt: skip
ACTIVATIONS = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
NOTHING = 1e-6  # a loss that is 0 but for rounding
BY_NUMBER = (
    "cross_entropy", "nll_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy",
    "mse_loss",
)  # fmt: skip
OF_CLASSES = BY_NUMBER[:2]  # these leave labels out
LEFT_OUT = -100  # what they leave out by themselves
PADDING = (0, -1)  # labels that are often left out, beside the most frequent one


@dataclass(frozen=True)
class NamedLoss:
    """A loss of torch, what it was given, and its options."""

    name: str
    options: Mapping[str, Any]
    outputs: Tensor
    target: Tensor

    @property
    def reduction(self) -> str:
        """How the losses of rows become one number."""
        return str(self.options.get("reduction", "mean"))


def named(loss: Any, step: Step) -> NamedLoss | None:
    """Return which of the known losses a step's loss is; None if it is none of them."""
    outputs, target = step.outputs, step.target
    if not isinstance(outputs, Tensor) or not isinstance(target, Tensor) or outputs.numel() == 0:
        return None
    found = None if loss is None else _by_name(loss, step)
    if found is not None:
        return NamedLoss(*found, outputs.detach(), target.detach())
    with warnings.catch_warnings():  # of shapes that do not fit a loss that is tried
        warnings.simplefilter("ignore")
        return _by_number(outputs.detach(), target.detach(), float(step.loss))


def _by_name(loss: Any, step: Step) -> tuple[str, dict[str, Any]] | None:
    options: dict[str, Any] = {}
    while isinstance(loss, functools.partial):
        if loss.args:
            return None
        options = {**loss.keywords, **options}
        loss = loss.func
    own = loss if isinstance(loss, nn.Module) else None
    name = type(loss).__name__ if own is not None else getattr(loss, "__name__", "")
    where = type(loss).__module__ if own is not None else getattr(loss, "__module__", "")
    name = function_of(name)
    known = (where or "").startswith(("torch.", "plogq.torch")) and name in LOSSES["torch"]
    if not known or len(step.args) > 2:
        return None
    if own is not None:
        options = {each: getattr(own, each) for each in OPTIONS if hasattr(own, each)}
    options |= {key: value for key, value in step.kwargs.items() if key not in ("input", "target")}
    return name, {key: options[key] for key in OPTIONS if options.get(key) is not None}


def _by_number(outputs: Tensor, target: Tensor, loss: float) -> NamedLoss | None:
    """Return the loss that gives the same number, also where each row is about the next.

    A loss of 0 is that of many functions, and tells of none. NaN of finite outputs is a mean over
    labels that are all ignored.
    """
    if abs(loss) < NOTHING or (math.isnan(loss) and not outputs.isfinite().all()):
        return None
    pairs = [(outputs, target)]
    if outputs.ndim == 3 and target.shape == outputs.shape[:2]:
        classes = outputs.shape[-1]
        pairs = [
            (outputs.reshape(-1, classes), target.reshape(-1)),
            (outputs[:, :-1].reshape(-1, classes), target[:, 1:].reshape(-1)),
        ]
    for x, y in pairs:
        for name in BY_NUMBER:
            for target, close in _tried(name, y):
                for reduction in ("mean", "sum"):
                    try:
                        number = float(getattr(F, name)(x.float(), target, reduction=reduction))
                    except (RuntimeError, ValueError, IndexError):
                        break
                    same = abs(number - loss) <= close * max(abs(loss), 1e-3)
                    if same or (target is y and math.isnan(number) and math.isnan(loss)):
                        return NamedLoss(name, {"reduction": reduction}, x, target)
    return None


def _tried(name: str, target: Tensor) -> Iterator[tuple[Tensor, float]]:
    """Yield the target, and the same without one of its labels, each with how close to come."""
    yield target, CLOSE
    if name in OF_CLASSES and not target.is_floating_point() and target.numel():
        labels = {int(target.flatten().mode().values), *PADDING}
        for each in sorted(labels):
            if (target == each).any():
                yield target.masked_fill(target == each, LEFT_OUT), EQUAL


def values(loss: NamedLoss, at_start: bool = False, made_by: str = "") -> Values:
    """Return what the loss was given, as the checks of values look at it."""
    found = values_of(
        loss.outputs, loss.target, loss.name, "torch", at_start=at_start, **loss.options
    )
    return replace(found, made_by=made_by)


def last_function(outputs: Any) -> str:
    """Return "sigmoid" or "softmax" where that is what made the outputs, but for their shape."""
    node = getattr(outputs, "grad_fn", None)
    while node is not None and node.name().startswith(SHAPES):
        node = node.next_functions[0][0]
    name = "" if node is None else node.name()
    return next((each for kind, each in ACTIVATIONS.items() if name.startswith(kind)), "")


def exact(loss: NamedLoss) -> float | None:
    """Return the loss of the same outputs in float64; None where it cannot be computed."""
    options = {
        key: value.double() if isinstance(value, Tensor) else value
        for key, value in loss.options.items()
    }
    target = loss.target.double() if loss.target.is_floating_point() else loss.target
    try:
        with torch.no_grad():
            found = getattr(F, loss.name)(loss.outputs.double(), target, **options)
    except (RuntimeError, ValueError, TypeError):
        return None
    return float(found.mean())


def row_weight(loss: NamedLoss) -> float | None:
    """Return the weight of the rows that count, by which a mean divides; None where none does."""
    if loss.reduction != "mean":
        return 1.0
    target = loss.target
    if loss.name not in ("cross_entropy", "nll_loss") or target.is_floating_point():
        return float(loss.outputs.numel())  # rows have as many outputs in each batch
    counts = target != int(loss.options.get("ignore_index", -100))
    weight = loss.options.get("weight")
    if weight is None:
        return float(counts.sum())
    safe = torch.where(counts, target, 0)
    return float((weight[safe] * counts).sum())
