"""The native engine's short way: a reduced loss of plain tensors in one call of native code.

At 32 rows of 10 classes the arithmetic takes a microsecond, and the rest of a call's time goes into
passing the question on. A call that is not plain (options by row, half precision, other layouts, a
target that is no class) takes the whole path, which also has the error messages.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, get_num_threads, is_grad_enabled

from plogq.kernels.question import Options, check_options
from plogq.kernels.tensors import reduced_loss, use_tensors_of
from plogq.torch.autograd import HUGE_PAGE, backward_of
from plogq.torch.engines import ENGINES
from plogq.torch.engines.formula import CROSS_ENTROPY
from plogq.torch.engines.native_rows import RowJob
from plogq.torch.options import SoftmaxOptions, bending
from plogq.torch.private import apply_of, is_transformed, is_undisturbed
from plogq.torch.questions import Rows

# An older torch does not give its table of C++ functions; then every call takes the whole path.
HAS_TABLE = use_tensors_of(Tensor, torch.nn.Parameter)
_PLAIN = (Tensor, torch.nn.Parameter)
# `validate` is allowed too: for labels it changes nothing, since a wrong label is always refused.
_TAKEN = frozenset((*Options._fields, "validate"))


def plain_loss(
    x: Tensor,
    target: Tensor,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
    options: SoftmaxOptions,
) -> Tensor | None:
    """Return the sum or the mean of cross-entropy's losses; None if this is no plain call."""
    if (
        not (HAS_TABLE and ENGINES.unwatched and is_undisturbed())
        or (reduction != "mean" and reduction != "sum")
        or type(ignore_index) is not int
        or ignore_index.bit_length() > 63
        or (options and not options.keys() <= _TAKEN)
        or type(x) not in _PLAIN
        or x.is_neg()
    ):
        return None
    numbers = bending(label_smoothing, options)
    check_options(numbers)
    if numbers.gamma and label_smoothing:
        return None
    tracked = x.requires_grad and is_grad_enabled()
    mean = reduction == "mean"
    found = reduced_loss(
        x, target, ignore_index, mean, *numbers, tracked, HUGE_PAGE, get_num_threads()
    )
    if not tracked or found is None:
        return found  # type: ignore[no-any-return]
    loss, gradient = found
    return _apply(x, target, gradient, (loss,), (ignore_index, mean, numbers))  # type: ignore[no-any-return]


class PlainLoss(torch.autograd.Function):
    """A loss whose gradient has been computed with it."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        target: Tensor,
        gradient: Tensor,
        found: tuple[Tensor],
        asked: tuple[int, bool, Options],
    ) -> Tensor:
        """Return the loss, and keep the gradient for the backward.

        The loss comes inside a tuple, for autograd forbids `loss += …` where it is an input itself.
        """
        ctx.save_for_backward(x, target)
        ctx.gradient, ctx.asked = gradient, asked
        return found[0]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient times upstream."""
        gradient = ctx.gradient
        if gradient is None or is_grad_enabled() or is_transformed(upstream):
            return _again(ctx, upstream), None, None, None, None
        ctx.gradient = None
        if upstream.item() != 1:
            gradient.mul_(upstream)
        return gradient, None, None, None, None


_apply = apply_of(PlainLoss)


def _again(ctx: Any, upstream: Tensor) -> Tensor:
    """Return a second derivative, the gradient of a repeated backward, or a batch of gradients."""
    x, target = ctx.saved_tensors  # raises if they were changed
    ignore_index, mean, options = ctx.asked
    rows = Rows(
        target, False, ignore_index, None, None, options, x.shape[:1],
        reduction="mean" if mean else "sum", loss=CROSS_ENTROPY,
    )  # fmt: skip
    job = RowJob(rows, True, None if mean else 1.0)
    job.run(x.detach(), None)  # this pass finds the denominator
    return backward_of(job, x, upstream, ctx.gradient)
