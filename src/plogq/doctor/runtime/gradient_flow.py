"""`gradient_flow`: how the gradient of a loss is spread over the layers of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from plogq.errors import refuse
from plogq.extras import needed_by
from plogq.kinds import Count, Text
from plogq.records import Document

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class LayerFlow:
    """The parameters of a layer, and their gradient."""

    name: Text
    """Its path in the model."""

    kind: Text
    """Its class."""

    parameters: Count
    """How many numbers of it learn."""

    weight: float
    """The root mean square of its parameters."""

    gradient: float
    """The root mean square of their gradient."""

    zero: float
    """The share of the gradient that is 0; 1 where none reaches the layer."""


@dataclass(frozen=True)
class GradientFlow(Document):
    """The gradient of a loss by layer, in the order of the model."""

    COMMAND: ClassVar[str] = "plogq.doctor.gradient_flow"
    CELL: ClassVar[str] = "plogq.reports.gradient_flow:cell"
    TEXT: ClassVar[str] = "plogq.reports.gradient_flow:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"

    layers: tuple[LayerFlow, ...]
    """The layers that have parameters which learn."""


def gradient_flow(model: nn.Module, loss: Tensor) -> GradientFlow:
    """Return the gradient of a loss by layer: root mean squares of ∂loss/∂θ.

    The gradients that the parameters have are left as they are, and so is the loss's graph. What
    sees each backward pass sees this one: hooks on tensors and modules, and `retain_grad`.

    Parameters
    ----------
    model
        The model that the loss was computed with.
    loss
        One number, with its graph: before `backward`.

    Raises
    ------
    TypeError, ValueError
        The model is no module of PyTorch or has no parameters that learn, or the loss is no number
        with a graph that reaches them.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 3))
    >>> loss = nn.functional.cross_entropy(model(torch.rand(12, 4)), torch.arange(12) % 3)
    >>> [(layer.name, layer.parameters) for layer in gradient_flow(model, loss).layers]
    [('0', 40), ('2', 27)]
    """
    with needed_by("plogq.doctor.gradient_flow"):
        import torch
    if not isinstance(model, torch.nn.Module):
        refuse("model", "be a module of PyTorch", type(model).__name__, error=TypeError)
    if not isinstance(loss, torch.Tensor):
        refuse("loss", "be a tensor", type(loss).__name__, error=TypeError)
    if loss.numel() != 1 or not loss.requires_grad or not loss.is_floating_point():
        came = f"shape {tuple(loss.shape)} of {loss.dtype}, requires_grad={loss.requires_grad}"
        refuse("loss", "be one real number with a graph", came)
    from plogq.doctor.runtime.pytorch.copies import plain
    from plogq.doctor.runtime.pytorch.tensors import has_reentrant_checkpoint

    model = plain(model)
    owners = {name: module for name, module in model.named_modules()}  # noqa: C416
    named = {name: each for name, each in model.named_parameters() if each.requires_grad}
    lazy = [name for name, each in named.items() if torch.nn.parameter.is_lazy(each)]
    if lazy:
        refuse("model", "have been called once", f"{lazy[0]}, which has no shape yet")
    if not named:
        refuse("model", "have parameters that learn", "none with requires_grad")
    if has_reentrant_checkpoint(loss):
        refuse("loss", "be computed with use_reentrant=False", "a reentrant checkpoint, whose "
               "parameters only `backward` reaches")  # fmt: skip
    try:
        gradients = torch.autograd.grad(
            loss.sum(), list(named.values()), retain_graph=True, allow_unused=True
        )
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        refuse("loss", "have its graph: ask before `backward`", "one whose graph was let go")
    if all(each is None for each in gradients):
        refuse("loss", "come of the model", "a graph that reaches none of its parameters")
    by_layer: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for (name, each), gradient in zip(named.items(), gradients, strict=True):
        known = torch.zeros_like(each) if gradient is None else gradient
        if each.numel():
            by_layer.setdefault(name.rpartition(".")[0], []).append((each, known))
    return GradientFlow(
        tuple(
            LayerFlow(
                layer, type(owners[layer]).__name__, sum(w.numel() for w, _ in pairs),
                _rms([w for w, _ in pairs]), _rms([g for _, g in pairs]),
                sum(_zeros(g) for _, g in pairs) / sum(g.numel() for _, g in pairs),
            )
            for layer, pairs in by_layer.items()
        )
    )  # fmt: skip


def _rms(tensors: list[Tensor]) -> float:
    from plogq.doctor.runtime.pytorch.tensors import square_sum

    return math.sqrt(sum(map(square_sum, tensors)) / sum(each.numel() for each in tensors))


def _zeros(gradient: Tensor) -> int:
    """Return how many numbers are 0, also those that a sparse gradient leaves out."""
    kept = gradient.coalesce().values() if gradient.is_sparse else gradient
    return gradient.numel() - int((kept != 0).sum())
