"""The row kernel: softmax losses of CPU tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plogq.kernels import cpu
from plogq.torch._bridge import fits, is_native, loss_of, memory_of
from plogq.torch._formula import cross_entropy_rows, row_losses
from plogq.torch._rows import Rows, Statistics, arithmetic, statistics


def knows(x: Tensor, rows: Rows) -> bool:
    """Tell whether the kernel has this loss: no derivative in the target, not every focal one."""
    return (
        fits(x)
        and not rows.target.requires_grad
        and not (rows.gamma and (rows.soft or rows.label_smoothing))
    )


def takes(x: Tensor, rows: Rows) -> bool:
    """Tell whether the kernel can be called on these logits."""
    return is_native(x) and knows(x, rows)


def run_rows(
    x: Tensor,
    rows: Rows,
    *,
    row_scale: npt.NDArray[np.float64] | None = None,
    gradient: Tensor | None = None,
    moments: bool = False,
) -> cpu.RowStatistics:
    """Call the kernel, which writes row_scale · ∂loss/∂x where there is room for it."""
    return cpu.softmax_loss(
        memory_of(x),
        memory_of(rows.target.resolve_neg() if rows.soft else rows.target),
        weight=None if rows.weight is None else memory_of(rows.weight),
        label_smoothing=rows.label_smoothing,
        gamma=rows.gamma,
        temperature=rows.temperature,
        z_loss=rows.z_loss,
        ignore_index=None if rows.soft else rows.ignore_index,
        keep=None if rows.keep is None else rows.keep.numpy(),
        row_scale=row_scale,
        gradient=None if gradient is None else memory_of(gradient),
        moments=moments,
        validate=rows.validate,
        check_logits=False,
        threads=torch.get_num_threads(),
    )


@dataclass(slots=True)
class RowJob:
    """The loss of each row; or, with a denominator, Σ row_weight · loss / denominator."""

    rows: Rows
    row_weight: Tensor | None
    denominator: float | None
    inplace: bool
    moments: bool
    found: cpu.RowStatistics | None = None

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""
        return self.denominator is not None

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss, summed in float64: the sum would else be the largest error of all."""
        scale = None if gradient is None else self._scale()
        found = run_rows(x, self.rows, row_scale=scale, gradient=gradient, moments=self.moments)
        self.found, loss = found, found.loss
        assert loss is not None
        if self.denominator is None:
            return torch.from_numpy(loss)
        if self.row_weight is None:
            total = np.add.reduce(loss, dtype=np.float64)
        else:
            total = loss @ _float64(self.row_weight)
        return torch.scalar_tensor(total / self.denominator, dtype=arithmetic(x))

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill the room, in one more pass."""
        scale = _float64(upstream)
        run_rows(x, self.rows, row_scale=np.atleast_1d(scale * self._scale()), gradient=room)

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss in torch operations."""
        loss, _ = row_losses(x, self.rows, cross_entropy_rows)
        if not self.reduces:
            return loss
        return (loss * torch.from_numpy(self._scale()).to(loss.dtype)).sum()

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.rows.target, self.rows.weight, self.rows.keep, self.row_weight

    def _scale(self) -> npt.NDArray[np.float64]:
        if self.row_weight is None:
            return np.array([1 / (self.denominator or 1.0)])
        return _float64(self.row_weight) / (self.denominator or 1.0)


def kernel_loss(
    x: Tensor,
    rows: Rows,
    row_weight: Tensor | None = None,
    denominator: float | None = None,
    *,
    inplace: bool,
    stats: bool,
) -> tuple[Tensor, Statistics | None]:
    """Give the loss of each row, or with a denominator their mean; and the statistics if asked."""
    job = RowJob(rows, row_weight, denominator, inplace, stats)
    loss = loss_of(x, job)
    return loss, found_statistics(rows, job.found) if stats else None


def found_statistics(rows: Rows, found: Any) -> Statistics:
    """Turn the kernel's statistics into those of the front door."""
    lse = torch.from_numpy(found.max + np.log1p(found.rest))
    return statistics(rows, lse, torch.from_numpy(found.entropy), torch.from_numpy(found.argmax))


def _float64(x: Tensor) -> npt.NDArray[np.float64]:
    array: npt.NDArray[np.float64] = x.detach().double().numpy()
    return array
