"""Losses of logits through a softmax."""

from __future__ import annotations

from typing import Any, Unpack

from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import check_number, refuse
from plogq.formulas.softmax_core import kl_divergence
from plogq.formulas.softmax_state import Softmax
from plogq.kernels.question import Options, check_options
from plogq.torch.checks import check_classes, check_tensors
from plogq.torch.engines.block_parts import Parts, negative_entropy_slopes, parts_of_block
from plogq.torch.engines.blocks import cross_entropy_block, kl_slopes, squared_error_slopes
from plogq.torch.engines.formula import (
    cross_entropy_rows,
    negative_entropy_rows,
    parts_of,
    squared_error_rows,
)
from plogq.torch.engines.plain import plain_loss
from plogq.torch.options import RowOptions, SoftmaxOptions, TemperedOptions
from plogq.torch.questions import Pair, RowLoss, Rows, arithmetic
from plogq.torch.softmax import classes_last, softmax_loss

BRIER = RowLoss("Brier loss", squared_error_rows, squared_error_slopes)

Loss = Any  # a Tensor, or (Tensor, Statistics) with return_stats=True


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[SoftmaxOptions],
) -> Loss:
    """`torch.nn.functional.cross_entropy`: −Σ_j w_j t_j log softmax(x)_j, in nats.

    A class index y is t = [j = y]; smoothing makes t (1 − ε) t + ε/C.

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, …)
        x: logits; −inf masks a class: probability 0, gradient 0. If it is the target, the loss is
        inf, and the gradient is p − t, as in torch.
    target
        Class indices in that shape without C, any integer dtype; or distributions in that shape.
    weight : (C,)
        w, by class.
    size_average, reduce
        Deprecated by torch, and understood as there.
    ignore_index
        Rows with this target are left out. As in torch, not for distributions, for which there is
        `mask`.
    reduction
        "mean": Σ loss / Σ w_y, or / N where targets are distributions; "sum"; "none".
    label_smoothing
        ε in [0, 1].
    **options
        What torch does not have: see `SoftmaxOptions`, `TemperedOptions`, `RowOptions`.

    Returns
    -------
    Tensor, or (Tensor, Statistics) with `return_stats`
        In nats.

    Raises
    ------
    ValueError, TypeError
        A target that is no class or no distribution, with its row; shapes that do not fit.

    Notes
    -----
    Differs from torch: a batch with nothing left after masking has loss 0, where torch has NaN.
    Differs from torch: float16 and bfloat16 are summed and returned in float32, where torch's sum
    overflows or rounds; the gradient has the input's dtype.
    Differs from torch: a −inf logit is left out of smoothing, and counts nothing under a target of
    0, where torch has inf or NaN.
    Differs from torch: a target that is no class, is negative or does not sum to 1 raises.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[2.0, 0.5, -1.0, 0.0]], requires_grad=True)
    >>> loss = cross_entropy(logits, torch.tensor([0]))
    >>> loss.backward()
    >>> print(f"{loss.item():.4f}")
    0.3423
    >>> logits.grad
    tensor([[-0.2899,  0.1584,  0.0354,  0.0961]])

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    if weight is None and size_average is None and reduce is None:
        found = plain_loss(input, target, ignore_index, reduction, label_smoothing, options)
        if found is not None:
            return found
    return softmax_loss(
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        size_average=size_average,
        reduce=reduce,
        reduction=reduction,
        label_smoothing=label_smoothing,
        **options,
    )


def soft_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[SoftmaxOptions],
) -> Loss:
    """−Σ_j w_j t_j log softmax(x)_j, with the same mean for distributions as for labels.

    With class weights, torch divides by Σ w_y for labels and by N for the same labels as one-hot
    rows. Here the mean of both is Σ loss / Σ_i Σ_j w_j t_ij, so that the same labels cost the same.

    Parameters
    ----------
    input, target, weight, reduction, label_smoothing, **options
        As for `cross_entropy`.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> logits, w = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.tensor([1.0, 100.0])
    >>> soft_cross_entropy(logits, torch.eye(2), w)
    tensor(0.0512)
    >>> cross_entropy(logits, torch.tensor([0, 1]), w)
    tensor(0.0512)

    References
    ----------
    https://github.com/pytorch/pytorch/issues/61309
    """
    return softmax_loss(
        input,
        target,
        weight=weight,
        reduction=reduction,
        label_smoothing=label_smoothing,
        by_class=True,
        **options,
    )


def focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """−Σ_j w_j t_j (1 − p_j)^γ log p_j with p = softmax(x): easy rows count less.

    γ = 0 is `cross_entropy`. The mean divides as in `cross_entropy`, not by Σ (1 − p)^γ.

    Parameters
    ----------
    input, target, weight, ignore_index, reduction, label_smoothing, **options
        As for `cross_entropy`.
    gamma
        γ ≥ 0.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; a negative gamma.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[0.9, 0.1]]).log()
    >>> print(f"{focal_loss(logits, torch.tensor([0])).item():.6f}")
    0.001054

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), Focal loss for dense object detection.
    """
    return softmax_loss(
        input,
        target,
        gamma=gamma,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
        **options,
    )


def brier_loss(
    input: Tensor,
    target: Tensor,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    **options: Unpack[TemperedOptions],
) -> Loss:
    """Σ_j (p_j − t_j)² with p = softmax(x), the Brier score, in [0, 2].

    Its gradient vanishes where the softmax saturates, on the wrong class too.

    Parameters
    ----------
    input, target, ignore_index, reduction, **options
        As for `cross_entropy`.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> brier_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
    tensor(0.5000)

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    return softmax_loss(
        input,
        target,
        BRIER,
        ignore_index=ignore_index,
        reduction=reduction,
        **options,
    )


def distillation_loss(
    input: Tensor,
    teacher: Tensor,
    target: Tensor | None = None,
    *,
    temperature: float = 2.0,
    alpha: float = 0.5,
    ignore_index: int = -100,
    reduction: str = "mean",
    **options: Unpack[RowOptions],
) -> Loss:
    """α T² D_KL(softmax(teacher/T) ‖ softmax(x/T)) + (1 − α) cross_entropy(x, target).

    T² keeps the size of the gradient as T grows. Without `target` it is the first term without α.

    Parameters
    ----------
    input, teacher : (C,), (N, C) or (N, C, d1, …)
        Logits of the student and of the teacher, to whom no gradient flows.
    target
        Class indices or distributions, as for `cross_entropy`. Its term is at temperature 1.
    temperature
        T > 0.
    alpha
        α in [0, 1], the weight of the teacher's term.
    ignore_index, reduction, **options
        As for `cross_entropy`; a row that is left out has neither term.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; teacher and student of different shapes; α outside [0, 1].

    Examples
    --------
    >>> import torch
    >>> student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]])
    >>> distillation_loss(student, teacher)
    tensor(0.3610)
    >>> distillation_loss(student, teacher, torch.tensor([0]), alpha=0.25)
    tensor(0.3252)

    References
    ----------
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2.
    """
    check_tensors(input=input, teacher=teacher)
    check_classes("input", input)
    if teacher.shape != input.shape:
        refuse("teacher", f"have the input's shape {tuple(input.shape)}", tuple(teacher.shape))
    check_number("alpha", alpha)
    if not 0 <= alpha <= 1:
        refuse("alpha", "be in [0, 1]", alpha)
    check_options(Options(temperature=temperature))
    given_rows = classes_last(teacher.detach())[0]
    logits = given_rows.flatten(0, -2)
    arithmetic(teacher, "teacher")
    of_labels = 0.0 if target is None else 1 - alpha
    of_teacher = temperature**2 * (1.0 if target is None else alpha)
    pair = Pair(given_rows, "forward", size=of_teacher, labels=of_labels)

    def mixed(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
        given = logits.to(x.dtype)
        truth = parts_of(given, temperature)
        kl: Tensor = kl_divergence(xp, given, x, truth, parts, temperature)
        soft = temperature**2 * kl
        if target is None or alpha == 1:
            return soft
        return alpha * soft + (1 - alpha) * cross_entropy_rows(x, rows, parts_of(x))

    def slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
        given = parts_of_block(logits[parts.at].to(parts.p.dtype), parts.at, temperature)
        loss, slope = kl_slopes(given, parts)
        loss, slope = temperature**2 * loss, slope.mul_(temperature**2)
        if target is None or alpha == 1:
            return loss, slope
        of_label, label_slope = cross_entropy_block(parts.x, rows, parts.at)
        loss = alpha * loss + (1 - alpha) * of_label
        return loss, slope.mul_(alpha).add_(label_slope, alpha=(1 - alpha) * temperature)

    return softmax_loss(
        input,
        target,
        RowLoss("distillation loss", mixed, slopes, pair=pair),
        temperature=temperature,
        ignore_index=ignore_index,
        reduction=reduction,
        **options,
    )


def confidence_penalty(
    input: Tensor,
    beta: float = 0.1,
    *,
    reduction: str = "mean",
    **options: Unpack[TemperedOptions],
) -> Loss:
    """−β H(softmax(x)) = β Σ_j p_j log p_j: added to a loss, it penalises certainty.

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, …)
        x: logits.
    beta
        β; 0.1 is the paper's for small image classifiers.
    reduction, **options
        As for `cross_entropy`.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy` for shapes and options.

    Examples
    --------
    >>> import torch
    >>> confidence_penalty(torch.tensor([[0.0, 0.0], [0.0, 9.0]]), 1.0, reduction="none")
    tensor([-0.6931, -0.0012])

    References
    ----------
    Pereyra, Tucker, Chorowski, Kaiser, Hinton (2017), Regularizing neural networks by penalizing
    confident output distributions.
    """
    check_number("beta", beta)

    def penalty(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
        return beta * negative_entropy_rows(x, rows, parts)

    def slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
        loss, slope = negative_entropy_slopes(parts, rows)
        return beta * loss, slope.mul_(beta)

    return softmax_loss(
        input,
        None,
        RowLoss("confidence penalty", penalty, slopes),
        reduction=reduction,
        **options,
    )
