"""The kernel of pairs called on tensors: divergences and distillation under autograd."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from plogq.formulas.softmax_core import js_limit
from plogq.torch.autograd import no_memory
from plogq.torch.engines.triton.configurations import PAIR_SUMS, ROW_DTYPES, row_tile
from plogq.torch.engines.triton.launch import launched
from plogq.torch.engines.triton.rows import TritonRows, evenness, plain, strides
from plogq.torch.questions import Figures, Rows, wants_gradient


def refusal(x: Tensor, rows: Rows) -> str:
    """Say why the kernel of pairs cannot be called on these logits."""
    pair = rows.loss.pair
    if pair is None:
        return f"the kernel has no {rows.loss.name}"
    if wants_gradient(pair.other):
        return "the other logits want a gradient, too"
    if rows.soft:
        return "the kernel has no distributions beside a teacher"
    if rows.statistics:
        return "the statistics of the rows are asked for"
    if pair.other.dtype not in ROW_DTYPES:
        return f"no Triton kernel for other logits of {pair.other.dtype}"
    return no_memory(x, pair.other, rows.target, rows.keep)


def run_pairs(
    x: Tensor,
    rows: Rows,
    *,
    scale: Tensor | None = None,
    divisor: Tensor | None = None,
    gradient: Tensor | None = None,
) -> Tensor:
    """Return the losses (R,) of logits x; `gradient` is as `run_rows` says."""
    from plogq.torch.engines.triton.kernels import pairs as kernels

    pair, options = rows.loss.pair, rows.options
    assert pair is not None
    x, y = x.detach(), pair.other.detach()
    count, classes = math.prod(x.shape[:-1]), x.shape[-1]
    losses = torch.empty(count, dtype=torch.float32, device=x.device)
    tile = row_tile(classes, x.element_size(), sums=PAIR_SUMS)
    of_x, of_y = strides(x), strides(y)
    of_gradient = of_x if gradient is None else strides(gradient)
    unit = of_x[2] == of_y[2] == of_gradient[2] == 1
    kind = {"forward": kernels.FORWARD, "reverse": kernels.REVERSE, "mixed": kernels.MIXED}
    launched(
        kernels.pair_kernel,
        -(-count // tile.rows),
        tile.threads,
        x, y, plain(rows.target), plain(rows.keep), scale, divisor, losses, gradient,
        count, classes, x.shape[1] if x.ndim == 3 else 1, *of_x, *of_y, *of_gradient, 1,
        0 if scale is None or scale.numel() == 1 else scale.stride(0),
        rows.ignore_index, options.temperature, pair.beta, pair.size,
        js_limit(pair.beta) if pair.kind == "mixed" else math.inf, pair.labels, options.z_loss,
        KIND=kind[pair.kind].value, ROWS=tile.rows, BLOCK=tile.block, WHOLE=tile.whole,
        UNIT=unit, LABELS=pair.labels != 0,
        COUNTS=rows.target is not None, GRADIENT=gradient is not None,
        KEEP=rows.keep is not None, SCALE=scale is not None, DIVISOR=divisor is not None,
        EVEN=evenness(x, unit, classes, *of_x[:2], *of_y[:2], *of_gradient[:2]),
    )  # fmt: skip
    return losses


@dataclass(slots=True)
class TritonPairs(TritonRows):
    """The loss of each pair of rows; or, reduced, Σ row_weight · loss / divisor."""

    def call(
        self, x: Tensor, *, scale: Tensor | None, gradient: Tensor | None
    ) -> tuple[Tensor, Figures | None]:
        """Return the losses, and no figures."""
        return run_pairs(x, self.rows, scale=scale, divisor=self.divisor, gradient=gradient), None

    def others(self) -> tuple[Tensor | None, ...]:
        """Return all that the gradient depends on."""
        pair = self.rows.loss.pair
        assert pair is not None
        return pair.other, self.rows.target, self.rows.keep, self.rows.row_weight
