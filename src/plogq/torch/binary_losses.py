"""Losses of one number per element: a logit through a sigmoid, or a probability."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from torch import Tensor
from torch.nn import functional as F

from plogq.errors import check_exponent, check_number, check_share, refuse
from plogq.formulas.binary_core import smoothed
from plogq.kernels.arguments import check_ignore_index
from plogq.kernels.question import Options, check_options
from plogq.torch.checks import check_real, check_tensors, check_unit_interval, values_known
from plogq.torch.engines import ENGINES
from plogq.torch.engines.formula import BINARY_CROSS_ENTROPY, asymmetric, binary_focal
from plogq.torch.options import ElementOptions, refuse_unknown
from plogq.torch.questions import ElementLoss, Elements, arithmetic
from plogq.torch.reductions import given_denominator, reduced, reduction_name


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    **options: Unpack[ElementOptions],
) -> Tensor:
    """`torch.nn.functional.binary_cross_entropy_with_logits`, in nats.

    v (w t · softplus(−z) + (1 − t) · softplus(z)), with softplus(z) = log(1 + exp z) = −log σ(−z).

    Parameters
    ----------
    input : any shape
        z: logits.
    target : the same shape
        t in [0, 1].
    weight
        v, broadcasts to the shape of `input`.
    size_average, reduce
        Deprecated by torch, and understood as there.
    reduction
        "mean" over the elements (v does not divide it, as in torch), "sum", "none".
    pos_weight
        w, the weight of a positive; broadcasts to the shape of `input`.
    **options
        What torch does not have: see `ElementOptions`.

    Raises
    ------
    ValueError, TypeError
        A target outside [0, 1], with its place; shapes that differ.

    Notes
    -----
    Differs from torch: targets outside [0, 1] raise, where torch gives a number.
    Differs from torch: no elements have mean 0, where torch has NaN.
    Differs from torch: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([200.0, -1.5], requires_grad=True)
    >>> binary_cross_entropy_with_logits(z, torch.tensor([0.0, 0.0]), reduction="none")
    tensor([200.0000,   0.2014], grad_fn=...)

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
    """
    reduction = reduction_name(size_average, reduce, reduction, options.get("denominator"))
    return _answered(BINARY_CROSS_ENTROPY, input, target, weight, pos_weight, reduction, options)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    **options: Unpack[ElementOptions],
) -> Tensor:
    """`torch.nn.functional.binary_cross_entropy`: −v (t log p + (1 − t) log(1 − p)), in nats.

    As in torch, logarithms below −100 are taken as −100: a probability that was rounded to 0 or 1
    costs at most 100, and its gradient has lost its direction. If there are logits, take
    `binary_cross_entropy_with_logits`, which is exact; `plogq.binary_cross_entropy_from_probs`
    gives inf.

    Parameters
    ----------
    input : any shape
        p in [0, 1].
    target, weight, size_average, reduce, reduction, **options
        As for `binary_cross_entropy_with_logits`.

    Raises
    ------
    ValueError, TypeError
        A target or a probability outside [0, 1], with its place; shapes that differ.

    Notes
    -----
    Differs from torch: targets outside [0, 1] raise, where torch gives a number.
    Differs from torch: no elements have mean 0, where torch has NaN.
    Differs from torch: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import torch
    >>> binary_cross_entropy(torch.tensor([0.9]), torch.tensor([1.0]))
    tensor(0.1054)

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
    """
    reduction = reduction_name(size_average, reduce, reduction, options.get("denominator"))
    input, asked = _asked(BINARY_CROSS_ENTROPY, input, target, weight, None, reduction, options)
    target, weight = asked.target, asked.weight
    if asked.validate:
        target = check_unit_interval("target", target)
    if not values_known(input):
        input = check_unit_interval("input", input)  # known values are checked by torch
    dtype = arithmetic(input)
    given = (input.to(dtype), target.to(dtype), None if weight is None else weight.to(dtype))
    try:
        loss = F.binary_cross_entropy(*given, reduction="none")
    except RuntimeError:  # torch checks the input, but does not name the element
        check_unit_interval("input", input)
        raise
    return reduced(loss, reduction, asked.denominator)


def binary_focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    alpha: float | None = None,
    *,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: str = "mean",
    **options: Unpack[ElementOptions],
) -> Tensor:
    """v (α w t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p))) with p = σ(z), in nats.

    Without `alpha` both classes have the weight 1. For t between 0 and 1 the loss is the mean over
    the labels 1 and 0; torchvision and optax weigh the whole cross-entropy once, by (1 − p_t)^γ.

    Parameters
    ----------
    input : any shape
        z: logits.
    target : the same shape
        t in [0, 1].
    gamma
        γ ≥ 0.
    alpha
        α in [0, 1].
    weight, pos_weight, reduction, **options
        v, w and the others as for `binary_cross_entropy_with_logits`. The paper's sum over
        anchors, divided by the number of positives, is `denominator=target.sum()`.

    Raises
    ------
    ValueError, TypeError
        As `binary_cross_entropy_with_logits`; γ or α out of range.

    Examples
    --------
    >>> import torch
    >>> loss = binary_focal_loss(torch.tensor([9.0]).log(), torch.tensor([1.0]))
    >>> print(f"{loss.item():.6f}")
    0.001054

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, equation 5.
    """
    check_exponent("gamma", gamma)
    if alpha is not None:
        check_share("alpha", alpha)
    reduction = reduction_name(None, None, reduction, options.get("denominator"))
    loss = binary_focal(gamma, alpha)
    return _answered(loss, input, target, weight, pos_weight, reduction, options)


def asymmetric_loss(
    input: Tensor,
    target: Tensor,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    margin: float = 0.05,
    *,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: str = "mean",
    **options: Unpack[ElementOptions],
) -> Tensor:
    """v (w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r))), p = σ(z), r = max(p − m, 0).

    In nats. Of many labels, few are positive: easy negatives count less than easy positives, and
    those with p ≤ m nothing. m = 0 and γ₋ = γ₊ is `binary_focal_loss`. The paper's code, as timm's,
    sums over all elements: `reduction="sum"`.

    Parameters
    ----------
    input : any shape
        z: logits.
    target : the same shape
        t in [0, 1].
    gamma_neg, gamma_pos
        γ₋ and γ₊, at least 0.
    margin
        m in [0, 1), which the paper's code calls clip.
    weight, pos_weight, reduction, **options
        v, w and the others as for `binary_cross_entropy_with_logits`.

    Raises
    ------
    ValueError, TypeError
        As `binary_cross_entropy_with_logits`; an exponent or the margin out of range.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([1.0, 1 / 24]).log()
    >>> asymmetric_loss(z, torch.zeros(2), reduction="none")
    tensor([0.0245, 0.0000])

    References
    ----------
    Ridnik et al. (2021), Asymmetric loss for multi-label classification, equations 5 to 7.
    """
    check_exponent("gamma_neg", gamma_neg)
    check_exponent("gamma_pos", gamma_pos)
    check_number("margin", margin)
    if not 0 <= margin < 1:
        refuse("margin", "be at least 0 and less than 1", margin)
    reduction = reduction_name(None, None, reduction, options.get("denominator"))
    loss = asymmetric(gamma_neg, gamma_pos, margin)
    return _answered(loss, input, target, weight, pos_weight, reduction, options)


def _answered(loss: ElementLoss, input: Tensor, *given: Any) -> Tensor:
    """Return the answer of an engine to what `_asked` makes of the arguments."""
    z, question = _asked(loss, input, *given)
    answer: Tensor = ENGINES.choose(z, question).answer(z, question)[0]
    return answer


def _asked(
    loss: ElementLoss,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    pos_weight: Tensor | None,
    reduction: str,
    options: ElementOptions,
) -> tuple[Tensor, Elements]:
    """Return the input and the question about its elements; what is left out weighs 0."""
    for name in options.keys() - ElementOptions.__annotations__:
        refuse_unknown(name, ElementOptions.__annotations__)
    _check_shapes(input, target, weight=weight, pos_weight=pos_weight, mask=options.get("mask"))
    dtype = arithmetic(input)
    denominator, validate = options.get("denominator"), options.get("validate", True)
    if denominator is not None:
        denominator = given_denominator(denominator)
    keep = _kept(target, options) if options else None
    if keep is not None:
        # What is left out may hold NaN, which no weight would silence.
        input, target = torch.where(keep, input, 0.0), torch.where(keep, target, 0)
        weight = torch.where(keep, 1.0 if weight is None else weight, 0.0).to(dtype)
        if reduction == "mean" and denominator is None:
            denominator = keep.expand(input.shape).sum()
    smoothing = options.get("label_smoothing")
    if smoothing is not None:
        check_options(Options(label_smoothing=smoothing))
    if smoothing:
        if validate:  # smoothed, a target outside [0, 1] may be inside
            target, validate = check_unit_interval("target", target), False
        target = smoothed(target.to(dtype), smoothing)
    return input, Elements(loss, target, weight, pos_weight, reduction, denominator, validate)


def _kept(target: Tensor, options: ElementOptions) -> Tensor | None:
    """Return which elements count, in a shape that broadcasts; None for all."""
    mask, ignore_index = options.get("mask"), options.get("ignore_index")
    if mask is not None and mask.dtype != torch.bool:
        refuse("mask", "be bool", mask.dtype, error=TypeError)
    if ignore_index is None:
        return mask
    check_ignore_index(ignore_index)
    counted = target != ignore_index
    return counted if mask is None else counted & mask


def _check_shapes(input: Tensor, target: Tensor, **weights: Tensor | None) -> None:
    check_tensors(input=input, target=target, **weights)
    check_real("target", target)
    if target.shape != input.shape:
        refuse("target", f"have the input's shape {tuple(input.shape)}", tuple(target.shape))
    for name, weight in weights.items():
        if weight is None:
            continue
        check_real(name, weight)
        padded = (1,) * (input.ndim - weight.ndim) + tuple(weight.shape)
        pairs = zip(padded, input.shape, strict=False)
        if weight.ndim > input.ndim or any(a not in (1, b) for a, b in pairs):
            expected = f"broadcast to the input's shape {tuple(input.shape)}"
            refuse(name, expected, tuple(weight.shape))
