"""The row kernel: softmax losses of CPU tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plogq.kernels import rows as native
from plogq.torch._bridge import are_native, fits, loss_of, memory_of
from plogq.torch._formula import RowLoss, cross_entropy_rows, row_losses
from plogq.torch._reduce import weighed
from plogq.torch._rows import Rows, Statistics, arithmetic, statistics


def knows(x: Tensor, rows: Rows) -> bool:
    """Tell whether the kernel has this loss: derivatives in the logits, not every focal one."""
    return (
        rows.target is not None
        and not rows.target.requires_grad
        and (rows.weight is None or not rows.weight.requires_grad)
        and not (rows.gamma and (rows.soft or rows.label_smoothing))
        and fits(x)
    )


def takes(x: Tensor, rows: Rows) -> bool:
    """Tell whether the kernel can be called on these logits."""
    return knows(x, rows) and are_native(x, rows.target, rows.weight, rows.keep)


def run_rows(
    x: Tensor,
    rows: Rows,
    *,
    row_scale: npt.NDArray[np.float64] | None = None,
    gradient: Tensor | None = None,
    moments: bool = False,
) -> native.RowStatistics:
    """Call the kernel, which writes row_scale · ∂loss/∂x where there is room for it."""
    assert rows.target is not None
    return native.softmax_loss(
        memory_of(x),
        memory_of(rows.target),
        weight=None if rows.weight is None else memory_of(rows.weight),
        label_smoothing=rows.label_smoothing,
        gamma=rows.gamma,
        temperature=rows.temperature,
        z_loss=rows.z_loss,
        ignore_index=None if rows.soft else rows.ignore_index,
        keep=None if rows.keep is None else memory_of(rows.keep),
        row_scale=row_scale,
        gradient=None if gradient is None else memory_of(gradient),
        moments=moments,
        validate=rows.validate,
        check_logits=False,
        threads=torch.get_num_threads(),
    )


@dataclass(slots=True)
class RowJob:
    """The loss of each row; or, reduced, Σ row_weight · loss / denominator (None: the total)."""

    rows: Rows
    reduces: bool
    row_weight: Tensor | None
    denominator: float | None
    inplace: bool
    stats: bool
    found: native.RowStatistics | None = None

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss, summed in float64: the sum would else be the largest error of all."""
        if not self.reduces:
            self.found = run_rows(x, self.rows, moments=self.stats)
            return torch.from_numpy(self.found.loss)
        loss, self.denominator, self.found = self._reduce(x, gradient, statistics=self.stats)
        return torch.scalar_tensor(loss, dtype=arithmetic(x), device=x.device)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill the room, in one more pass."""
        if self.reduces:
            self._reduce(x, room, scale=upstream.item())
        else:
            scale = memory_of(upstream.double().contiguous())
            run_rows(x, self.rows, row_scale=scale, gradient=room)

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Give upstream in a shape that multiplies the gradient."""
        return upstream if self.reduces else upstream.reshape(*x.shape[:-1], 1)

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss in torch operations."""
        loss, _ = row_losses(x, self.rows, RowLoss(cross_entropy_rows))
        if not self.reduces:
            return loss
        return weighed(loss, self.row_weight).sum() / (self.denominator or 1.0)

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.rows.target, self.rows.weight, self.rows.keep, self.row_weight

    def _reduce(
        self, x: Tensor, gradient: Tensor | None, *, scale: float = 1.0, statistics: bool = False
    ) -> native.ReducedLoss:
        rows, weight = self.rows, self.row_weight
        assert rows.target is not None
        return native.reduced_softmax_loss(
            memory_of(x),
            memory_of(rows.target),
            weight=None if rows.weight is None else memory_of(rows.weight),
            label_smoothing=rows.label_smoothing,
            gamma=rows.gamma,
            temperature=rows.temperature,
            z_loss=rows.z_loss,
            ignore_index=None if rows.soft else rows.ignore_index,
            keep=None if rows.keep is None else memory_of(rows.keep),
            row_weight=None if weight is None else memory_of(weight.double()),
            denominator=self.denominator,
            by_class=rows.weight is not None and not rows.soft,
            scale=scale,
            gradient=None if gradient is None else memory_of(gradient),
            statistics=statistics,
            validate=rows.validate,
            threads=torch.get_num_threads(),
        )


def kernel_loss(x: Tensor, job: RowJob) -> tuple[Tensor, Statistics | None]:
    """Give the loss, and the statistics if asked."""
    loss = loss_of(x, job)
    return loss, found_statistics(job.rows, job.found) if job.stats and job.found else None


def found_statistics(rows: Rows, found: native.RowStatistics) -> Statistics:
    """Turn the kernel's statistics into those of the front door."""
    lse = torch.from_numpy(found.max + np.log1p(found.rest))
    return statistics(rows, lse, torch.from_numpy(found.entropy), torch.from_numpy(found.argmax))
