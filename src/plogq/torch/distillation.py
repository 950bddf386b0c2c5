"""Losses of a student beside a teacher's logits."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from plogq.errors import check_share, refuse
from plogq.formulas.softmax_state import Softmax
from plogq.kernels.question import Options, check_options
from plogq.torch.checks import check_classes, check_tensors
from plogq.torch.divergences import divergence_rows
from plogq.torch.engines.block_parts import Parts, parts_of_block
from plogq.torch.engines.blocks import cross_entropy_block
from plogq.torch.engines.divergence_slopes import divergence_slopes
from plogq.torch.engines.formula import cross_entropy_rows, parts_of
from plogq.torch.options import RowOptions
from plogq.torch.questions import Pair, RowLoss, Rows, arithmetic
from plogq.torch.softmax import classes_last, softmax_loss


def distillation_loss(
    input: Tensor,
    teacher: Tensor,
    target: Tensor | None = None,
    *,
    temperature: float = 2.0,
    alpha: float = 0.5,
    beta: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
    **options: Unpack[RowOptions],
) -> Any:
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
    beta
        β in [0, 1]: with p the teacher's distribution and q the student's, 0 is D_KL(p ‖ q), 1 is
        D_KL(q ‖ p), and between them it is β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m) with
        m = β p + (1 − β) q, as for `js_divergence_loss`; here times T².
    ignore_index, reduction, **options
        As for `cross_entropy`; a row that is left out has neither term. `softcap` is for the
        student alone.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; teacher and student of different shapes; α or β outside [0, 1].

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
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2; Agarwal
    et al. (2024), On-policy distillation of language models, equation 1.
    """
    check_tensors(input=input, teacher=teacher)
    check_classes("input", input)
    if teacher.shape != input.shape:
        refuse("teacher", f"have the input's shape {tuple(input.shape)}", tuple(teacher.shape))
    arithmetic(teacher, "teacher")
    given = classes_last(teacher.detach())[0]
    return softmax_loss(
        input,
        target,
        distillation(target, temperature, alpha, beta, given),
        teacher=given.flatten(0, -2),
        temperature=temperature,
        ignore_index=ignore_index,
        reduction=reduction,
        **options,
    )


def distillation(
    target: Tensor | None,
    temperature: float,
    alpha: float,
    beta: float,
    given: Tensor | None = None,
) -> RowLoss:
    """Return `distillation_loss` as a loss of rows, of which the question has the teacher.

    `given` are all logits of the teacher, (R, C) or (N, S, C), if they are there.
    """
    check_share("alpha", alpha)
    check_share("beta", beta)
    check_options(Options(temperature=temperature))
    of_teacher_alone = target is None or alpha == 1

    def mixed(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
        assert rows.teacher is not None
        given = rows.teacher.to(x.dtype)
        truth = parts_of(given, temperature)
        soft = temperature**2 * divergence_rows(given, x, truth, parts, temperature, beta=beta)
        if of_teacher_alone:
            return soft
        return alpha * soft + (1 - alpha) * cross_entropy_rows(x, rows, parts_of(x))

    def slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
        assert rows.teacher is not None
        given = rows.teacher[parts.at].to(parts.p.dtype)
        truth = parts_of_block(given, parts.at, temperature)
        loss, slope = divergence_slopes(truth, parts, temperature, beta)
        loss, slope = temperature**2 * loss, slope.mul_(temperature**2)
        if of_teacher_alone:
            return loss, slope
        of_label, label_slope = cross_entropy_block(parts.x, rows, parts.at)
        loss = alpha * loss + (1 - alpha) * of_label
        return loss, slope.mul_(alpha).add_(label_slope, alpha=(1 - alpha) * temperature)

    pair = None
    if given is not None:
        of_teacher = temperature**2 * (1.0 if target is None else alpha)
        pair = Pair(given, beta, of_teacher, 0.0 if target is None else 1 - alpha)
    return RowLoss("distillation loss", mixed, slopes, copies=64, pair=pair)  # measured: 58 to 64
