"""What the updates of a model use: gradients that are fresh, stale, or do not come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Set

from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

from plogq.doctor.runtime.pytorch.tensors import numbers, square_sum
from plogq.doctor.runtime.training import StaleGradient, Unreached

FEWEST = 2  # updates without a gradient: a layer may begin behind a weight of 0


class Updates:
    """The gradients of a model's parameters, looked at before backward passes and updates.

    Attributes
    ----------
    count
        How many updates there were.
    stale
        The first update that used a gradient of the update before it, if there is one.
    """

    def __init__(self, model: nn.Module) -> None:
        self.count = 0
        self.stale: StaleGradient | None = None
        self._named = dict(model.named_parameters())
        self._own = {id(each) for each in self._named.values()}
        self._left = 0.0  # the norm of what was left at the first backward pass after an update
        self._updated = False
        self._looks = 0
        self._without: Counter[str] = Counter()

    def holds(self, optimizer: Optimizer) -> bool:
        """Return whether an optimizer has parameters of the model."""
        groups = optimizer.param_groups
        return any(id(each) in self._own for group in groups for each in group["params"])

    def before_backward(self) -> float:
        """Look at what a backward pass will be added to, and return its norm."""
        norm = _norm([each.grad for each in self._named.values()])
        if norm == 0:
            self._left = 0.0
        elif self._updated:
            self._left = norm
        self._updated = False
        return norm

    def look(self, optimizer: Optimizer) -> float:
        """Look at the gradients that an update uses, and return their norm."""
        used = {id(each) for group in optimizer.param_groups for each in group["params"]}
        gradients = []
        for name, each in self._named.items():
            if id(each) in used and each.requires_grad:
                gradients.append(each.grad)
                if each.grad is None or not numbers(each.grad).any():
                    self._without[name] += 1
        norm = _norm(gradients)
        if self._left > 0 and norm > 0 and self.stale is None:
            self.stale = StaleGradient(self.count + 1, self._left / norm)
        self._left, self._updated = 0.0, True
        self._looks += 1
        return norm

    def unreached(self, ran: Set[str]) -> Unreached | None:
        """Return the layers, of those that ran, which no update had a gradient for."""
        if self._looks < FEWEST:
            return None
        never = {name for name, count in self._without.items() if count == self._looks}
        by_layer: dict[str, list[str]] = {}
        for name, each in self._named.items():
            if each.requires_grad:
                by_layer.setdefault(_layer(name), []).append(name)
        layers = [
            layer for layer, names in by_layer.items() if layer in ran and never.issuperset(names)
        ]
        if not layers:
            return None
        sizes = {layer: sum(self._named[name].numel() for name in names)
                 for layer, names in by_layer.items()}  # fmt: skip
        without = sum(sizes[layer] for layer in layers)
        return Unreached(tuple(layers), without, sum(sizes.values()), self._looks)


def _layer(name: str) -> str:
    """Return the layer of a parameter; what makes its weight, as a spectral norm, is part of it."""
    owner, parametrized, _ = f".{name}".partition(".parametrizations.")
    return owner[1:] if parametrized else name.rpartition(".")[0]


def _norm(gradients: list[Tensor | None]) -> float:
    return math.sqrt(sum(square_sum(each) for each in gradients if each is not None))
