"""The native rows: softmax cross-entropy of CPU tensors, with its gradient in the same pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plogq.kernels import rows as native
from plogq.kernels.question import Statistics
from plogq.torch.autograd import loss_of, memory_of, no_kernel, no_memory
from plogq.torch.checks import check_rows
from plogq.torch.engines.formula import row_losses
from plogq.torch.questions import Answer, Rows, arithmetic, statistics, wants_gradient
from plogq.torch.reductions import finished, total_weight, weighed


def unknown(rows: Rows) -> str:
    """Say what the kernel lacks: it has not every loss, and only gradients in the logits."""
    if not rows.loss.native:
        return f"the kernel has no {rows.loss.name}"
    target, weight = rows.target, rows.weight
    if target is None or target.requires_grad or (weight is not None and weight.requires_grad):
        return "the target or the class weights want a gradient"
    options = rows.options
    if options.gamma and (rows.soft or options.label_smoothing):
        return "the kernel has no focal loss of distributions or smoothed labels"
    return ""


def refusal(x: Tensor, rows: Rows) -> str:
    """Say why the kernel cannot be called on these logits."""
    return unknown(rows) or no_kernel(x) or no_memory(x, rows.target, rows.weight, rows.keep)


def answer(x: Tensor, rows: Rows) -> Answer:
    """Compute the loss, reduced in the same pass unless its weights are learned."""
    learned = wants_gradient(rows.row_weight) and torch.is_grad_enabled()
    reduces = rows.reduction != "none" and not learned
    by_rows = rows.soft and rows.by_class and rows.weight is not None
    divisor: float | Tensor | None = 1.0
    if rows.reduction == "mean":
        divisor = total_weight(rows) if rows.denominator is None and by_rows else rows.denominator
    job = RowJob(rows, reduces, None if divisor is None or not reduces else float(divisor))
    try:
        loss = loss_of(x, job)
    except ValueError:
        check_rows(x, rows)  # it names the row in the shape of the input
        raise
    stats = _statistics(rows, job.found) if rows.statistics and job.found else None
    return loss if reduces else finished(loss, rows), stats


def run_rows(
    x: Tensor,
    rows: Rows,
    *,
    row_scale: npt.NDArray[np.float64] | None = None,
    gradient: Tensor | None = None,
    moments: bool = False,
) -> native.RowStatistics:
    """Call the kernel, which fills `gradient`, if it is given, with row_scale · ∂loss/∂x."""
    assert rows.target is not None
    return native.softmax_loss(
        memory_of(x),
        memory_of(rows.target),
        rows.options,
        weight=None if rows.weight is None else memory_of(rows.weight),
        ignore_index=None if rows.soft else rows.ignore_index,
        keep=None if rows.keep is None else memory_of(rows.keep),
        row_scale=row_scale,
        gradient=None if gradient is None else memory_of(gradient),
        moments=moments or (rows.statistics and gradient is None),
        validate=rows.validate,
        check_logits=False,
        threads=torch.get_num_threads(),
    )


@dataclass(slots=True)
class RowJob:
    """The loss of each row; or, reduced, Σ row_weight · loss / denominator (None: the total)."""

    rows: Rows
    reduces: bool
    denominator: float | None
    found: native.RowStatistics | None = None

    @property
    def inplace(self) -> bool:
        """Tell whether the gradient may overwrite the logits."""
        return self.rows.inplace

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Return the loss; it is summed in float64, since a float32 sum would be the main error."""
        if not self.reduces:
            self.found = run_rows(x, self.rows)
            return torch.from_numpy(self.found.loss)
        loss, self.denominator, self.found = self._reduce(x, gradient, first=True)
        return torch.scalar_tensor(loss, dtype=arithmetic(x), device=x.device)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss, in one more pass."""
        if self.reduces:
            self._reduce(x, room, scale=upstream.item())
        else:
            scale = memory_of(upstream.double().contiguous())
            run_rows(x, self.rows, row_scale=scale, gradient=room)

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Return upstream in a shape that multiplies the gradient."""
        return upstream if self.reduces else upstream.reshape(*x.shape[:-1], 1)

    def formula(self, x: Tensor) -> Tensor:
        """Return the loss in torch operations."""
        loss, _ = row_losses(x, self.rows)
        if not self.reduces:
            return loss
        return weighed(loss, self.rows.row_weight).sum() / (self.denominator or 1.0)

    def others(self) -> tuple[Tensor | None, ...]:
        """Return all that the gradient depends on."""
        return self.rows.target, self.rows.weight, self.rows.keep, self.rows.row_weight

    def _reduce(
        self, x: Tensor, gradient: Tensor | None, *, scale: float = 1.0, first: bool = False
    ) -> native.ReducedLoss:
        rows, weight = self.rows, self.rows.row_weight
        assert rows.target is not None
        return native.reduced_softmax_loss(
            memory_of(x),
            memory_of(rows.target),
            rows.options,
            weight=None if rows.weight is None else memory_of(rows.weight),
            ignore_index=None if rows.soft else rows.ignore_index,
            keep=None if rows.keep is None else memory_of(rows.keep),
            row_weight=None if weight is None else memory_of(weight.double()),
            denominator=self.denominator,
            by_class=rows.weight is not None and not rows.soft,
            scale=scale,
            gradient=None if gradient is None else memory_of(gradient),
            statistics=first and rows.statistics,
            validate=rows.validate,
            threads=torch.get_num_threads(),
        )


def _statistics(rows: Rows, found: native.RowStatistics) -> Statistics:
    lse = torch.from_numpy(found.max + np.log1p(found.rest))
    return statistics(rows, lse, torch.from_numpy(found.entropy), torch.from_numpy(found.argmax))
