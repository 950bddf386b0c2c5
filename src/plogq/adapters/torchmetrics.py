"""Metrics of torchmetrics: exact in any split of the rows into batches, and over any ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plogq.extras import needed_by

with needed_by("plogq.torchmetrics"):
    import torch
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat

from plogq.adapters.figures import FIGURES, chosen
from plogq.errors import TableError
from plogq.formulas.units import Unit, check_unit
from plogq.score import Result, score
from plogq.score.figures.running import RunningLoss

__all__ = ["CrossEntropy", "InformationGain", "Score"]


class _Running(Metric):
    """A figure of integers that add up: memory does not grow with the rows.

    Parameters
    ----------
    num_classes
        C.
    unit
        "bit", "nat" or "hartley".
    ignore_index
        The target whose rows are left out.
    """

    is_differentiable = False
    full_state_update = False
    limbs: torch.Tensor
    labels: torch.Tensor
    impossible: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        *,
        unit: Unit = "bit",
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_unit(unit)
        self.num_classes, self.unit, self.ignore_index = num_classes, unit, ignore_index
        nothing = RunningLoss.none(num_classes)
        for name, integers in nothing._asdict().items():
            self.add_state(name, torch.from_numpy(integers), dist_reduce_fx="sum")

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        """Add rows: logits (N, C), and class indices (N,)."""
        new = RunningLoss.of(preds, target, self.num_classes, self.ignore_index)
        for name, integers in self._sums().plus(new)._asdict().items():
            setattr(self, name, torch.from_numpy(integers).to(self.device))

    def _sums(self) -> RunningLoss:
        return RunningLoss(*(getattr(self, name).cpu().numpy() for name in RunningLoss._fields))


class CrossEntropy(_Running):
    """The mean of −log q(target): the same bits as `plogq.score.score`.

    Parameters
    ----------
    num_classes, unit, ignore_index
        C; "bit", "nat" or "hartley"; and the target whose rows are left out.

    Examples
    --------
    >>> metric = CrossEntropy(2)
    >>> metric.update(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    >>> metric.compute()
    tensor(1., dtype=torch.float64)
    """

    higher_is_better = False

    def compute(self) -> torch.Tensor:
        """Return the cross-entropy of all rows so far, in `unit` per row."""
        return torch.tensor(self._sums().cross_entropy(self.unit), dtype=torch.float64)


class InformationGain(_Running):
    """The entropy of the labels less the cross-entropy: the same bits as `plogq.score.score`.

    Parameters
    ----------
    num_classes, unit, ignore_index
        C; "bit", "nat" or "hartley"; and the target whose rows are left out.
    """

    higher_is_better = True

    def compute(self) -> torch.Tensor:
        """Return the gain of all rows so far, in `unit` per row."""
        return torch.tensor(self._sums().information_gain(self.unit), dtype=torch.float64)


class Score(Metric):
    """The whole report: it keeps the rows, and scores them in `compute`.

    Ranks put their rows together in the order of the ranks. Of these, what is a mean is the same
    bits in any order; what comes from folds and samples, such as the miscalibration, depends on the
    order as far as its interval says.

    Parameters
    ----------
    figures
        The figures that `compute` returns, of the names in `plogq.score.Result.metrics`.
    options
        Of `plogq.score.score`: `unit`, `classes`, `ignore`, `bootstrap`, …
    kwargs
        Of torchmetrics' `Metric`.

    Attributes
    ----------
    result : plogq.score.Result or None
        What the last `compute` found.
    """

    is_differentiable = False
    full_state_update = False
    preds: list[torch.Tensor]
    target: list[torch.Tensor]

    def __init__(
        self,
        figures: Sequence[str] = FIGURES,
        *,
        options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.figures, self.options = tuple(figures), options or {}
        self.result: Result | None = None
        self.add_state("preds", [], dist_reduce_fx="cat")
        self.add_state("target", [], dist_reduce_fx="cat")

    def update(self, preds: torch.Tensor, target: torch.Tensor) -> None:
        """Add rows: logits (N, C), and class indices (N,) or distributions (N, C)."""
        self.preds.append(preds.detach().clone())
        self.target.append(target.detach().clone())

    def compute(self) -> dict[str, torch.Tensor]:
        """Return the figures of all rows so far; `result` has the whole report."""
        if not len(self.preds):
            raise TableError("no rows: there is nothing to score yet")
        self.result = score(
            dim_zero_cat(self.target), logits=dim_zero_cat(self.preds), **self.options
        )
        found = chosen(self.result, self.figures)
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}
