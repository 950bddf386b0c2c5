"""Losses of log-probabilities, and divergences between distributions."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, Unpack

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import check_number, check_share, refuse
from plogq.formulas.softmax_core import (
    js_divergence,
    js_gradients,
    js_limit,
    kl_divergence,
)
from plogq.formulas.softmax_state import Softmax
from plogq.formulas.terms import normal_kl_terms, times
from plogq.torch.checks import (
    check_classes,
    check_picked,
    check_range,
    check_real,
    check_rows,
    check_tensors,
    least_of,
    log_limit,
)
from plogq.torch.engines.formula import parts_of
from plogq.torch.options import TemperedOptions
from plogq.torch.questions import Pair, RowLoss, Rows, arithmetic, wants_gradient
from plogq.torch.reductions import finished, given_denominator, reduced, reduction_name
from plogq.torch.softmax import ask, check_label_shape, classes_last, prepared, softmax_loss


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    denominator: float | Tensor | None = None,
    validate: bool = True,
) -> Tensor:
    """`torch.nn.functional.nll_loss`: −w_y · input_y of each row, in nats.

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, …)
        Log-probabilities. From logits, `cross_entropy` is faster and needs less memory.
    target
        Class indices in that shape without C, any integer dtype.
    weight : (C,)
        w, by class.
    size_average, reduce
        Deprecated by torch, and understood as there.
    ignore_index
        Rows with this target are left out.
    reduction
        "mean": Σ loss / Σ w_y; "sum"; "none".
    denominator
        Divides the mean instead of Σ w_y.
    validate
        Refuse an entry above 0 that a target points to, since log-probabilities have none, and a
        target that is no class. If it is False, torch refuses such a target without its row.

    Raises
    ------
    ValueError, TypeError
        If an entry cannot be a log-probability, or a target is no class (with its row), or shapes
        do not fit.

    Notes
    -----
    Differs from torch: probabilities, or logits above 0 where a target points, raise, where torch
    gives a number. Logits below 0 are not noticed, since only the picked entries are checked.
    Differs from torch: a batch with nothing left has loss 0, where torch has NaN.
    Differs from torch: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import torch
    >>> nll_loss(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0]))
    tensor(0.3567)

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
    """
    reduction = reduction_name(size_average, reduce, reduction, denominator)
    check_tensors(input=input, target=target, weight=weight)
    check_classes("input", input)
    check_label_shape(input, target)
    x, rows = ask(input, target, weight=weight, ignore_index=ignore_index)
    rows.validate, rows.reduction, rows.by_class = validate, reduction, True
    check_rows(x, rows)
    x, label, kept = x.flatten(0, -2), rows.labels(), rows.kept()
    picked = x.gather(1, label[:, None])[:, 0]
    if validate:
        check_picked(picked, rows)
    loss = -picked.to(arithmetic(x))
    if rows.weight is not None:
        loss = times(xp, rows.weight.gather(0, label), loss)
    assert kept is not None
    loss = torch.where(kept, loss, 0.0)
    if denominator is not None:
        rows.denominator = given_denominator(denominator)
    loss = finished(loss, rows)
    return loss.reshape(rows.shape) if reduction == "none" else loss


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
    *,
    denominator: float | Tensor | None = None,
    validate: bool = True,
) -> Tensor:
    """`torch.nn.functional.kl_div`: t (log t − input), the terms of D_KL(t ‖ exp input), in nats.

    The model comes first, in log-probabilities; the truth second, in probabilities or their logs.

    Parameters
    ----------
    input : any shape
        log q.
    target
        t, or log t with `log_target`, in a shape that broadcasts with the input's.
    size_average, reduce
        Deprecated by torch, and understood as there.
    reduction
        "batchmean" is the divergence: Σ terms / N. "mean" divides by the number of elements, which
        is no divergence; torch warns of it, and so do we. "sum"; "none".
    log_target
        Whether `target` is in logs.
    denominator
        Divides "mean" and "batchmean" instead.
    validate
        Refuse an input above 0 or a target below 0, and a log-target above 0.

    Raises
    ------
    ValueError, TypeError
        If an element cannot be a (log-)probability (with its place), or shapes do not broadcast.

    Notes
    -----
    Differs from torch: probabilities given as `input` raise, where torch gives a number.
    Differs from torch: what is impossible under the target (0, or −inf in logs) costs 0 under any
    input, where torch has NaN under an input of −inf.
    Differs from torch: float16 and bfloat16 are summed and returned in float32.
    Differs from torch: the mean of no elements is 0, where torch has NaN.

    Examples
    --------
    >>> import torch
    >>> q, p = torch.tensor([[0.33, 0.33, 0.34]]), torch.tensor([[0.6, 0.3, 0.1]])
    >>> kl_div(q.log(), p, reduction="batchmean")
    tensor(0.2077)

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
    """
    if size_average is None and reduce is None and reduction == "mean" and denominator is None:
        warnings.warn(
            'reduction "mean" divides by the number of elements; "batchmean" is the divergence',
            stacklevel=2,
        )
    batch_mean = reduction == "batchmean" and size_average is None and reduce is None
    name = "mean" if batch_mean else reduction
    name = reduction_name(size_average, reduce, name, denominator)
    check_tensors(input=input, target=target)
    check_real("target", target)
    try:
        torch.broadcast_tensors(input, target)  # type: ignore[no-untyped-call]
    except RuntimeError:
        expected = f"broadcast with the input's shape {tuple(input.shape)}"
        refuse("target", expected, tuple(target.shape))
    if denominator is not None:
        denominator = given_denominator(denominator)
    if validate:
        expected = "be log-probabilities, at most 0"
        input, least = check_range(
            "input", input, -math.inf, log_limit(input), expected, or_nan=True
        )
        if log_target:
            target, _ = check_range("target", target, -math.inf, log_limit(target), expected)
        else:
            expected = "be probabilities, none negative or NaN"
            target, _ = check_range("target", target, 0, math.inf, expected)
    else:
        least = least_of(input)
    x, t = input.to(arithmetic(input)), target.to(arithmetic(input))
    # If an input may be −inf (or the least is NaN), 0 · inf must be 0.
    may_be_infinite = least is None or not least > -math.inf
    product = functools.partial(times, xp) if may_be_infinite else torch.mul
    if log_target:
        p = torch.exp(t)
        loss = product(p, torch.where(p > 0, t, 0.0) - x)
    else:
        loss = torch.xlogy(t, t) - product(t, x)
    if denominator is None and batch_mean and input.ndim:
        denominator = len(input)
    return reduced(loss, name, denominator)


def js_divergence_loss(
    p_logits: Tensor,
    q_logits: Tensor,
    *,
    beta: float = 0.5,
    reduction: str = "mean",
    **options: Unpack[TemperedOptions],
) -> Any:
    """β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m), m = β p + (1 − β) q, of two softmaxes, in nats.

    Differentiable in both; at most the entropy of (β, 1 − β). β = ½ is JS(p, q), symmetric and in
    [0, ln 2]. It is not multiplied by T². Divided by β it tends to D_KL(p ‖ q) as β → 0, and by
    1 − β to D_KL(q ‖ p) as β → 1. At β = 0 and β = 1 it is these two, undivided, as in TRL and
    Liger.

    Parameters
    ----------
    p_logits, q_logits : (C,), (N, C) or (N, C, d1, …)
        Logits of p, in a distillation the teacher, and of q.
    beta
        β in [0, 1].
    reduction
        "mean" over the rows; "sum"; "none".
    **options
        See `TemperedOptions`: softcap and temperature are for both; z_loss and the statistics are
        those of p.

    Raises
    ------
    ValueError, TypeError
        Shapes that differ; β outside [0, 1]; options as for `cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> js_divergence_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor(0.0895)

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy; Agarwal et al. (2024), On-policy
    distillation of language models, equation 1. TRL: `GKDTrainer.generalized_jsd_loss`.
    """
    check_share("beta", beta)
    named = {"p_logits": p_logits, "q_logits": q_logits}
    check_tensors(**named)
    asks_of_p = options.get("z_loss") or options.get("return_stats")
    if wants_gradient(q_logits) and not (wants_gradient(p_logits) or asks_of_p):
        # The same loss with p and q exchanged: engines have the gradient in the first.
        named, beta = {"q_logits": q_logits, "p_logits": p_logits}, 1 - beta

    divergence = functools.partial(divergence_rows, beta=beta)
    return _of_two("JS divergence", divergence, named, reduction, options, 1 - beta)


def divergence_rows(
    x: Tensor, y: Tensor, of_x: Softmax, of_y: Softmax, temperature: float, *, beta: float
) -> Tensor:
    """Return the divergence of each row of logits x from y, as `js_divergence_loss` says."""
    if beta not in (0, 1):
        compiling = torch.compiler.is_compiling()
        function = _JSDivergence if compiling else _JSDivergenceOfEager
        loss: Tensor = function.apply(x, y, temperature, beta)  # type: ignore[no-untyped-call]
        return loss
    of: Tensor = js_divergence(xp, x, y, of_x, of_y, temperature, beta)
    return of


class _JSDivergence(torch.autograd.Function):
    """The JS divergence with its written gradients: derived ones lose digits as β nears 0 or 1."""

    @staticmethod
    def forward(a: Tensor, b: Tensor, temperature: float, beta: float) -> Tensor:
        """Return the divergences (R,) of rows of logits (R, C)."""
        parts = parts_of(a, temperature), parts_of(b, temperature)
        found: Tensor = js_divergence(xp, a, b, *parts, temperature, beta)
        return found.clamp(max=js_limit(beta))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the logits."""
        a, b, ctx.temperature, ctx.beta = inputs
        ctx.save_for_backward(a, b)
        ctx.save_for_forward(a, b)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients in both logits, which are differentiable themselves."""
        of_a, of_b = _js_gradients(ctx)
        return upstream[..., None] * of_a, upstream[..., None] * of_b, None, None


class _JSDivergenceOfEager(_JSDivergence):
    """What torch.compile does not take: a derivative in forward mode, and vmap."""

    generate_vmap_rule = True

    @staticmethod
    def jvp(ctx: Any, of_a: Tensor | None, of_b: Tensor | None, *_: None) -> Tensor | int:
        """Return the derivative along these directions; None for 0."""
        pairs = zip(_js_gradients(ctx), (of_a, of_b), strict=True)
        return sum((gradient * dot).sum(-1) for gradient, dot in pairs if dot is not None)


def _js_gradients(ctx: Any) -> tuple[Tensor, Tensor]:
    """Return the gradients (R, C) of the divergences in both logits."""
    a, b = ctx.saved_tensors
    parts = parts_of(a, ctx.temperature), parts_of(b, ctx.temperature)
    of_a, of_b = js_gradients(xp, a, b, *parts, ctx.temperature, ctx.beta)
    return of_a / ctx.temperature, of_b / ctx.temperature


def reverse_kl_loss(
    p_logits: Tensor,
    q_logits: Tensor,
    *,
    reduction: str = "mean",
    **options: Unpack[TemperedOptions],
) -> Any:
    """D_KL(q ‖ p) of two softmaxes, p the truth and q the model, in nats; differentiable in both.

    A model that is trained by it leaves out what it cannot match, where `distillation_loss`, which
    is D_KL(p ‖ q), makes it cover all.

    Parameters
    ----------
    p_logits, q_logits : (C,), (N, C) or (N, C, d1, …)
        Logits of the truth, in a distillation the teacher (detach them if it shall not learn), and
        of the model. A class that is masked (−inf) in p alone makes the loss inf, with a gradient
        that is not finite: mask it in q, too.
    reduction
        "mean" over the rows; "sum"; "none".
    **options
        See `TemperedOptions`: softcap and temperature are for both, and the loss is not multiplied
        by T²; z_loss and the statistics are those of q.

    Raises
    ------
    ValueError, TypeError
        Shapes that differ; options as for `cross_entropy`.

    Examples
    --------
    >>> import torch
    >>> reverse_kl_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor(0.3278)

    References
    ----------
    Gu, Dong, Wei, Huang (2024), MiniLLM: knowledge distillation of large language models.
    """

    def divergence(
        x: Tensor, y: Tensor, of_x: Softmax, of_y: Softmax, temperature: float
    ) -> Tensor:
        of: Tensor = kl_divergence(xp, x, y, of_x, of_y, temperature)
        return of

    named = {"q_logits": q_logits, "p_logits": p_logits}
    return _of_two("reverse KL", divergence, named, reduction, options, 1)


def _of_two(
    name: str,
    divergence: Callable[..., Tensor],
    named: dict[str, Tensor],
    reduction: str,
    options: TemperedOptions,
    beta: float,
) -> Any:
    """Return a loss of two logits by their names; z_loss and statistics are those of the first.

    `beta` is that of `Pair`, whose q is the first.
    """
    (first_name, first), (second_name, second) = named.items()
    check_tensors(**named)
    check_classes(first_name, first)
    if first.shape != second.shape:
        expected = f"have the shape of {first_name} {tuple(first.shape)}"
        refuse(second_name, expected, tuple(second.shape))
    other, dtype = classes_last(prepared(second, options))[0], arithmetic(first, first_name)

    def of_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
        y, kept = other.flatten(0, -2).to(dtype), rows.kept()
        if kept is not None:
            y = torch.where(kept[:, None], y, 0.0)  # rows that are left out may hold NaN
        temperature = rows.options.temperature
        return divergence(x, y, parts, parts_of(y, temperature), temperature)

    loss = RowLoss(name, of_rows, pair=Pair(other, beta))
    return softmax_loss(first, None, loss, reduction=reduction, **options)


def gaussian_kl(
    mean: Tensor,
    log_variance: Tensor,
    q_mean: Tensor | float = 0.0,
    q_log_variance: Tensor | float = 0.0,
    *,
    reduction: str = "mean",
    denominator: float | Tensor | None = None,
) -> Tensor:
    """D_KL(N(μ, σ²) ‖ N(m, s²)) of diagonal normals: the regulariser of a VAE by default.

    ½ Σ_i [(μ_i − m_i)²/s_i² + σ_i²/s_i² − 1 − log(σ_i²/s_i²)]: **summed** over the latent
    dimensions (the last axis), then by `reduction` over the others. A mean over the latent
    dimensions too would divide the term by their number, a common mistake.

    Parameters
    ----------
    mean, log_variance : (…, D)
        μ and log σ², the encoder's.
    q_mean, q_log_variance
        m and log s², the prior's; broadcast.
    reduction
        "mean" over the batch; "sum"; "none".
    denominator
        Divides the mean instead of the size of the batch.

    Raises
    ------
    ValueError, TypeError
        Shapes that differ or do not broadcast.

    Examples
    --------
    >>> import torch
    >>> gaussian_kl(torch.tensor([[0.5, 0.0]]), torch.tensor([[-1.0, 0.0]]))
    tensor(0.3089)

    References
    ----------
    Kingma, Welling (2013), Auto-encoding variational Bayes, appendix B.
    """
    reduction = reduction_name(None, None, reduction, denominator)
    check_tensors(mean=mean, log_variance=log_variance)
    check_real("log_variance", log_variance)
    if mean.ndim == 0 or log_variance.shape != mean.shape:
        expected = f"have the mean's shape {tuple(mean.shape)}, with an axis of latent dimensions"
        refuse("log_variance", expected, tuple(log_variance.shape))
    if denominator is not None:
        denominator = given_denominator(denominator)
    dtype = arithmetic(mean, "mean")
    m, w = (
        _prior("q_mean", q_mean, mean, dtype),
        _prior("q_log_variance", q_log_variance, mean, dtype),
    )
    terms: Tensor = normal_kl_terms(xp, mean.to(dtype), log_variance.to(dtype), m, w)
    return reduced(terms.sum(-1), reduction, denominator)


def _prior(name: str, x: Tensor | float, mean: Tensor, dtype: torch.dtype) -> Tensor:
    if not isinstance(x, Tensor):
        check_number(name, x)
        return torch.as_tensor(x, dtype=dtype, device=mean.device)
    check_tensors(mean=mean, **{name: x})
    check_real(name, x)
    try:
        torch.broadcast_to(x, mean.shape)
    except RuntimeError:
        refuse(name, f"broadcast to the mean's shape {tuple(mean.shape)}", tuple(x.shape))
    return x.to(dtype)
