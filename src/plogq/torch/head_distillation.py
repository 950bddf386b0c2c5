"""A linear layer and its distillation loss, without all logits of student or teacher at once."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from plogq.errors import refuse
from plogq.kernels.arguments import check_softcap
from plogq.torch.checks import check_tensors
from plogq.torch.distillation import distillation
from plogq.torch.head import LowRank, answer_of_head, asked_of_layer, checked_layer
from plogq.torch.options import RowOptions
from plogq.torch.questions import Teacher, arithmetic


def linear_distillation_loss(
    input: Tensor,
    linear_weight: Tensor,
    teacher: Tensor,
    target: Tensor | None = None,
    *,
    linear_bias: Tensor | None = None,
    teacher_weight: Tensor | None = None,
    teacher_bias: Tensor | None = None,
    teacher_softcap: float | None = None,
    temperature: float = 2.0,
    alpha: float = 0.5,
    beta: float = 0.0,
    reduction: str = "mean",
    ignore_index: int | None = None,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int | None = None,
    valid: int | None = None,
    compact: bool = True,
    **options: Unpack[RowOptions],
) -> Any:
    """`distillation_loss` of input · linear_weightᵀ + bias beside a teacher, by pieces of rows.

    α T² D(p ‖ q) + (1 − α) cross_entropy, and without `target` T² D(p ‖ q): p is the teacher's
    distribution at temperature T, q the student's, and D the divergence of `beta`.

    Parameters
    ----------
    input, linear_weight, linear_bias, shift, lora, workspace, valid, compact
        As for `linear_cross_entropy`. The workspace holds the teacher's logits, too; `shift` does
        not move the teacher, whose rows are those of the input.
    teacher : (…, C), or (…, D') with teacher_weight
        The teacher's logits, or what its last layer is given. No gradient flows to the teacher.
    target : (…) or (…, C)
        Class indices or distributions. With `alpha` 1 it only tells the rows that are left out.
    teacher_weight, teacher_bias : (C, D') and (C,)
        The teacher's last layer; the D' is its own.
    teacher_softcap
        Of the teacher's logits, as `softcap` of the student's alone.
    temperature, alpha, beta
        As for `distillation_loss`.
    reduction, ignore_index, **options
        As for `linear_cross_entropy`.

    Returns
    -------
    Tensor, or (Tensor, Statistics) with `return_stats`
        In nats.

    Raises
    ------
    ValueError, TypeError
        As `linear_cross_entropy` and `distillation_loss`; a teacher of other rows or classes.

    Examples
    --------
    >>> import torch
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> wide = torch.tensor([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]])
    >>> linear_distillation_loss(hidden, matrix, wide, teacher_weight=torch.eye(3), beta=0.5)
    tensor(0.0593)

    References
    ----------
    As `distillation_loss`. With `target` and `alpha` 1, T² times TRL's `generalized_jsd_loss`, and
    Liger's `LigerFusedLinearJSD`; its `LigerFusedLinearJSDLoss` mixes β q + (1 − β) p instead.
    """
    tempered: Any = {**options, "temperature": temperature}
    given = _teacher(input, linear_weight, teacher, teacher_weight, teacher_bias, teacher_softcap)
    layer, rows = asked_of_layer(
        input, linear_weight, target, linear_bias, lora, shift,
        distillation(target, temperature, alpha, beta),
        weight=None, ignore_index=ignore_index, reduction=reduction, label_smoothing=0.0,
        options=tempered,
    )  # fmt: skip
    softcap = options.get("softcap")
    return answer_of_head(layer, rows, softcap, workspace, valid, compact, given)


def _teacher(
    input: Tensor,
    linear_weight: Tensor,
    teacher: Tensor,
    matrix: Tensor | None,
    bias: Tensor | None,
    softcap: float | None,
) -> Teacher:
    """Return the teacher with rows of one axis, after a check of its shapes and dtypes."""
    named = {"teacher": teacher, "teacher_weight": matrix, "teacher_bias": bias}
    check_tensors(input=input, linear_weight=linear_weight, **named)
    arithmetic(teacher, "teacher")
    if softcap is not None:
        check_softcap(softcap, "teacher_softcap")
    lead, classes = tuple(input.shape[:-1]), linear_weight.shape[0] if linear_weight.ndim else 0
    if matrix is None:
        if bias is not None:
            refuse("teacher_bias", "be left out without teacher_weight", tuple(bias.shape))
        if tuple(teacher.shape) != (*lead, classes):
            expected = f"have shape {(*lead, classes)} as logits, or come with teacher_weight"
            refuse("teacher", expected, tuple(teacher.shape))
        return Teacher(teacher.detach().reshape(-1, classes), None, softcap)
    if teacher.shape[:-1] != input.shape[:-1]:
        expected = f"have the rows of the input, {lead}, before its last axis"
        refuse("teacher", expected, tuple(teacher.shape))
    if matrix.ndim == 2 and matrix.shape[0] != classes:
        expected = f"have the {classes} classes of linear_weight"
        refuse("teacher_weight", expected, tuple(matrix.shape))
    bias = None if bias is None else bias.detach()
    names = ("teacher", "teacher_weight", "teacher_bias")
    layer = checked_layer(teacher.detach(), matrix.detach(), bias, None, names)
    return Teacher(None, layer, softcap)
