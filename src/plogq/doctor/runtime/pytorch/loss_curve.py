"""The losses of a training, and the labels that they are of."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from torch import Tensor

from plogq.doctor.readings import are_hot, entropy
from plogq.doctor.runtime.pytorch.loss_name import NamedLoss
from plogq.doctor.runtime.training import LossCurve
from plogq.kernels.arrays import to_numpy

AT_ONCE = 100  # losses that are brought from an accelerator together
EVERY = 16  # steps, of which one has its labels counted
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


class Curve:
    """It keeps each loss, and counts the labels of some batches."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._waiting: list[Tensor] = []
        self._labels: Counter[int] = Counter()
        self._plain = True

    @property
    def is_due(self) -> bool:
        """Whether the labels of this step are to be counted."""
        return len(self._losses) % EVERY == 0

    def add(self, loss: Tensor) -> None:
        """Keep a loss: from the processor at once, from an accelerator with others."""
        self._waiting.append(loss.detach().float().mean())
        if loss.device.type == "cpu" or len(self._waiting) == AT_ONCE:
            self._bring()

    def _bring(self) -> None:
        if len(self._waiting) == 1:
            self._losses.append(float(self._waiting[0]))
        elif self._waiting:
            self._losses += torch.stack(self._waiting).tolist()
        self._waiting = []

    def count(self, loss: NamedLoss | None) -> None:
        """Count the labels of a batch whose loss is known."""
        if loss is None or not _is_of_labels(loss):
            self._plain = False
            return
        labels = loss.target.reshape(-1)
        labels = labels[labels != int(loss.options.get("ignore_index", -100))]
        if loss.target.is_floating_point() and (labels == labels[0]).all():
            self._plain = False  # a discriminator's batch is all real, or all made
            return
        values, counts = torch.unique(labels, return_counts=True)
        self._labels.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def record(self) -> LossCurve | None:
        """Return the curve; None where the losses are not those of labels."""
        self._bring()
        total = self._labels.total()
        if not self._plain or not total:
            return None
        shares = np.array(list(self._labels.values())) / total
        return LossCurve(tuple(self._losses), float(entropy(shares)), total, len(shares))


def _is_of_labels(loss: NamedLoss) -> bool:
    """Return whether a loss is the mean surprisal of labels, and nothing else."""
    options = loss.options
    changed = options.get("label_smoothing", 0.0) > 0 or options.get("weight") is not None
    changed = changed or options.get("pos_weight") is not None
    if loss.reduction != "mean" or changed or loss.target.numel() == 0:
        return False
    if loss.name in ("cross_entropy", "nll_loss"):
        return not loss.target.is_floating_point()
    # Of several yes-or-no labels in a row, the entropy of all together is no less than theirs.
    return loss.name in BINARY and are_hot(to_numpy("target", loss.target))
