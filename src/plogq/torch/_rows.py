"""A batch of rows and what is asked of each, for formula, kernel and compiler alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from plogq.errors import refuse


@dataclass(slots=True)
class Rows:
    """The targets of R rows over C classes, and the options of their loss."""

    target: Tensor | None  # (R,) class indices; or distributions, like the logits; None for none
    soft: bool
    ignore_index: int
    weight: Tensor | None  # (C,)
    keep: Tensor | None  # (R,) bool; a row that is False has loss 0 and gradient 0
    label_smoothing: float
    gamma: float
    temperature: float
    z_loss: float
    validate: bool
    shape: torch.Size  # of the losses, when they are given one by one

    def kept(self) -> Tensor | None:
        """(R,) bool, without the ignored rows; None where all count."""
        if self.soft or self.target is None:
            return self.keep
        counted = self.target != self.ignore_index
        return counted if self.keep is None else counted & self.keep

    def labels(self) -> Tensor:
        """(R,) class indices that may be looked up: 0 for a row that is left out.

        One that is no class stays what it is, for torch to raise where it is looked up.
        """
        assert self.target is not None
        kept = self.kept()
        return self.target if kept is None else torch.where(kept, self.target, 0)

    def distributions(self) -> Tensor:
        """(R, C) targets."""
        assert self.target is not None
        return self.target.flatten(0, -2)


class Statistics(NamedTuple):
    """What the pass that computed a loss knows of its rows; detached, in nats.

    Attributes
    ----------
    lse
        log Σ exp z of each row, z the logits after `softcap` and `temperature`.
    entropy
        H(softmax(z)) of each row.
    argmax
        The predicted class of each row, −1 where a row is left out.
    accuracy
        The share of rows, among those that count, whose prediction is the target (for a
        distribution, its most likely class; without target, any); 0 where none counts.
    """

    lse: Tensor
    entropy: Tensor
    argmax: Tensor
    accuracy: Tensor


def statistics(rows: Rows, lse: Tensor, entropy: Tensor, argmax: Tensor) -> Statistics:
    """Add the accuracy, and blank what a row that is left out has."""
    label = argmax if rows.target is None else rows.target
    if rows.soft:
        label = rows.distributions().argmax(dim=1)
    kept = rows.kept()
    if kept is None:
        kept = torch.ones_like(label, dtype=torch.bool)
    argmax = torch.where(kept, argmax, -1)
    correct = (argmax == label) & kept
    accuracy = correct.sum() / kept.sum().clamp(min=1)
    lse, entropy = torch.where(kept, lse, -torch.inf), torch.where(kept, entropy, 0.0)
    return Statistics(lse, entropy, argmax, accuracy)


def arithmetic(x: Tensor, name: str = "input") -> torch.dtype:
    """Give the dtype of the arithmetic and of the loss: half precisions are summed in float32."""
    if not x.is_floating_point():
        refuse(name, "be floating point", x.dtype, error=TypeError)
    return torch.float64 if x.dtype == torch.float64 else torch.float32
