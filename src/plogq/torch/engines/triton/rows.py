"""The row kernel called on tensors, and its losses under autograd."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from plogq.formulas.arrays import EPS
from plogq.torch.autograd import loss_of, no_memory
from plogq.torch.engines.formula import row_losses
from plogq.torch.engines.triton.configurations import Variant, row_tile, vector
from plogq.torch.engines.triton.launch import launched, scalar_of, total_of
from plogq.torch.questions import Answer, Figures, Rows, statistics, wants_gradient
from plogq.torch.reductions import finished, not_zero, total_weight, weighed


def variant_of(rows: Rows, *, gradient: bool, figures: bool, cap: bool) -> Variant:
    """Return which kernel a question needs."""
    options = rows.options
    return Variant(
        soft=rows.soft,
        smooth=options.label_smoothing > 0,
        weight=rows.weight is not None,
        focal=options.gamma > 0,
        cap=cap,
        moment=figures,
        gradient=gradient,
    )


def unknown(rows: Rows) -> str:
    """Say what the kernel lacks: it has not every loss, and only gradients in the logits."""
    if not rows.loss.native:
        return f"the kernel has no {rows.loss.name}"
    if rows.target is None or wants_gradient(rows.target, rows.weight):
        return "the target or the class weights want a gradient"
    return variant_of(rows, gradient=True, figures=rows.statistics, cap=False).refusal()


def refusal(x: Tensor, rows: Rows) -> str:
    """Say why the kernel cannot be called on these logits."""
    return unknown(rows) or no_memory(x, rows.target, rows.weight, rows.keep)


def run_rows(
    x: Tensor,
    rows: Rows,
    *,
    scale: Tensor | None = None,
    divisor: Tensor | None = None,
    gradient: Tensor | None = None,
    figures: bool = False,
    softcap: float | None = None,
) -> tuple[Tensor, Figures | None]:
    """Return the losses (R,) of logits x, and lse, entropy and argmax if figures are wanted.

    `gradient`, if it is given, receives scale / divisor · ∂loss/∂x; it may be x itself. A row whose
    target is at fault is NaN: to refuse it would wait for the device.
    """
    from plogq.torch.engines.triton.kernels.rows import row_kernel

    assert rows.target is not None
    x, target, options = x.detach(), rows.target.detach(), rows.options
    count, classes = math.prod(x.shape[:-1]), x.shape[-1]
    places = x.shape[1] if x.ndim == 3 else 1
    losses = torch.empty(count, dtype=torch.float32, device=x.device)
    found = losses.new_empty((2, count)) if figures else None
    argmax = losses.new_empty(count, dtype=torch.int64) if figures else None
    asked = variant_of(
        rows, gradient=gradient is not None, figures=figures, cap=softcap is not None
    )
    tile = row_tile(classes, x.element_size(), sums=asked.sums)
    if rows.soft:
        tolerance = max(EPS[str(target.dtype).removeprefix("torch.")], EPS["float32"]) ** 0.5
        t_strides = strides(target)
    else:
        tolerance, t_strides = 0.0, (target.stride(0) * places, target.stride(0), 0)
    of_logits = strides(x)
    of_gradient = of_logits if gradient is None else strides(gradient)
    unit = of_logits[2] == 1 and of_gradient[2] == 1 and (not rows.soft or t_strides[2] == 1)
    soft_strides = t_strides[:2] if rows.soft else ()
    even = evenness(x, unit, classes, *of_logits[:2], *of_gradient[:2], *soft_strides)
    # Rows that begin anywhere are read in whole vectors all the same, from where those begin.
    leads = unit and not tile.whole and even < vector(x.element_size())
    launched(
        row_kernel,
        -(-count // tile.rows),
        tile.threads,
        x, target, plain(rows.weight), plain(rows.keep), scale, divisor, losses, found, argmax,
        gradient, count, classes, places, *of_logits, *t_strides, *of_gradient,
        0 if scale is None or scale.numel() == 1 else scale.stride(0),
        rows.ignore_index, options.label_smoothing, options.gamma, options.temperature,
        options.z_loss, softcap or 0.0, tolerance if rows.validate else -1.0,
        ROWS=tile.rows, BLOCK=tile.block, WHOLE=tile.whole,
        VECTOR=vector(x.element_size()) if leads else 1, UNIT=unit, SOFT=asked.soft,
        SMOOTH=asked.smooth, WEIGHT=asked.weight, FOCAL=asked.focal, CAP=asked.cap,
        MOMENT=asked.moment, GRADIENT=asked.gradient, KEEP=rows.keep is not None,
        SCALE=scale is not None, DIVISOR=divisor is not None, ALIKE=of_gradient == of_logits,
        EVEN=1 if leads else even,
    )  # fmt: skip
    if found is None or argmax is None:
        return losses, None
    return losses, (found[0], found[1], argmax)


def strides(x: Tensor) -> tuple[int, int, int]:
    """Return how far images, places and classes of (R, C) or (N, S, C) lie apart."""
    if x.ndim == 3:
        n, s, c = x.stride()
        return n, s, c
    return x.stride(0), 0, x.stride(1)


def evenness(x: Tensor, unit: bool, *steps: int) -> int:
    """Return the largest power of two, up to a vector, that divides all steps; 1 if not `unit`."""
    return math.gcd(vector(x.element_size()), *steps) if unit else 1


def plain(values: Tensor | None) -> Tensor | None:
    """Return values side by side, without their graph."""
    return None if values is None else values.detach().contiguous()


def answer(x: Tensor, rows: Rows, kind: type[TritonRows]) -> Answer:
    """Compute the loss, with its gradient in the same pass if it is reduced."""
    learned = wants_gradient(rows.row_weight) and torch.is_grad_enabled()
    job = kind(rows, rows.reduction != "none" and not learned)
    loss = loss_of(x, job)
    stats = statistics(rows, *job.figures) if rows.statistics and job.figures else None
    return loss if job.reduces else finished(loss, rows), stats


@dataclass(slots=True)
class TritonRows:
    """The loss of each row; or, reduced, Σ row_weight · loss / divisor."""

    rows: Rows
    reduces: bool
    divisor: Tensor | None = None
    figures: Figures | None = None

    @property
    def inplace(self) -> bool:
        """Tell whether the gradient may overwrite the logits."""
        return self.rows.inplace

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Return the loss, and fill `gradient`, if it is given, with that of a reduced loss."""
        rows, weight = self.rows, self._row_weight()
        if not self.reduces:
            losses, self.figures = self.call(x, scale=None, gradient=None)
            return losses
        if rows.reduction == "mean" and self.divisor is None:
            self.divisor = self._divisor(x)
        losses, self.figures = self.call(x, scale=weight, gradient=gradient)
        return total_of(losses, weight, self.divisor)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss, in one more pass."""
        scale = upstream.detach()
        if self.reduces and (weight := self._row_weight()) is not None:
            scale = weight * scale
        self.call(x, scale=scale, gradient=room)

    def call(
        self, x: Tensor, *, scale: Tensor | None, gradient: Tensor | None
    ) -> tuple[Tensor, Figures | None]:
        """Return the losses, and the figures if they are wanted; fill `gradient` if it is given."""
        return run_rows(
            x, self.rows, scale=scale, divisor=self.divisor, gradient=gradient,
            figures=self.rows.statistics,
        )  # fmt: skip

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Return upstream in a shape that multiplies the gradient."""
        return upstream if self.reduces else upstream.reshape(*x.shape[:-1], 1)

    def formula(self, x: Tensor) -> Tensor:
        """Return the loss in torch operations."""
        loss, _ = row_losses(x, self.rows)
        if not self.reduces:
            return loss
        total = weighed(loss, self.rows.row_weight).sum()
        return total if self.divisor is None else total / not_zero(self.divisor)

    def others(self) -> tuple[Tensor | None, ...]:
        """Return all that the gradient depends on."""
        return self.rows.target, self.rows.weight, self.rows.keep, self.rows.row_weight

    def _row_weight(self) -> Tensor | None:
        return None if self.rows.row_weight is None else self.rows.row_weight.detach().contiguous()

    def _divisor(self, x: Tensor) -> Tensor:
        """Return the divisor of a mean, 0-d, where the logits are."""
        given = self.rows.denominator
        return scalar_of(total_weight(self.rows) if given is None else given, x.device)
