"""Losses of log-probabilities, and divergences between distributions."""

from __future__ import annotations

import math
import warnings

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas._check import refuse
from plogq.formulas._terms import expm1_minus, kl_terms, log_ratio
from plogq.torch._check import check_elements, check_rows, values_known
from plogq.torch._core import classes_last, make_rows
from plogq.torch._formula import parts_of, weigh
from plogq.torch._reduce import reduced, reduction_name, total_weight
from plogq.torch._rows import arithmetic


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
        Refuse a target that is no class.

    Raises
    ------
    ValueError, TypeError
        A target that is no class, with its row; shapes that do not fit.

    Notes
    -----
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
    x, rows = make_rows(input, target, weight=weight, ignore_index=ignore_index, validate=validate)
    if rows.soft:
        refuse("target", "be class indices", f"the input's shape {tuple(target.shape)}")
    check_rows(x, rows)
    label = rows.target.long().clamp(0, x.shape[1] - 1)
    loss = -x.to(arithmetic(x)).gather(1, label[:, None])[:, 0]
    if rows.weight is not None:
        loss = weigh(rows.weight[label], loss)
    loss = torch.where(rows.target != ignore_index, loss, 0.0)
    if denominator is None:
        denominator = total_weight(rows, None, True)
    loss = reduced(loss, reduction, denominator)
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
    target : the same shape
        t, or log t with `log_target`.
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
        What cannot be a (log-)probability, with its place; shapes that differ.

    Notes
    -----
    Differs from torch: probabilities given as `input` raise, where torch gives a number.
    Differs from torch: what is impossible under the target (0, or −inf in logs) costs 0 under any
    input, where torch has NaN under an input of −inf.
    Differs from torch: float16 and bfloat16 are summed and returned in float32.
    Differs from torch: nothing at all has mean 0, where torch has NaN.

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
    if target.shape != input.shape:
        refuse("target", f"have the input's shape {tuple(input.shape)}", tuple(target.shape))
    if validate:
        _check_log_probabilities("input", input)
        if log_target:
            _check_log_probabilities("target", target)
        elif values_known(target):
            good = target >= 0
            check_elements("target", target, good, "be probabilities, none negative or NaN")
    x, t = input.to(arithmetic(input)), target.to(arithmetic(input))
    if log_target:
        p = torch.exp(t)
        loss = weigh(p, torch.where(p > 0, t, 0.0) - x)
    else:
        loss = torch.xlogy(t, t) - weigh(t, x)
    if denominator is None:
        denominator = len(input) if batch_mean and input.ndim else input.numel()
    return reduced(loss, name, denominator)


def js_divergence_loss(
    p_logits: Tensor,
    q_logits: Tensor,
    *,
    reduction: str = "mean",
    denominator: float | Tensor | None = None,
) -> Tensor:
    """JS(p, q) = ½ D_KL(p ‖ m) + ½ D_KL(q ‖ m), m = (p + q)/2, of two softmaxes; in [0, ln 2] nats.

    Symmetric, finite, and differentiable in both.

    Parameters
    ----------
    p_logits, q_logits : (C,), (N, C) or (N, C, d1, …)
        Logits of p and of q.
    reduction
        "mean" over the rows; "sum"; "none".
    denominator
        Divides the mean instead of the number of rows.

    Raises
    ------
    ValueError
        Shapes that differ.

    Examples
    --------
    >>> import torch
    >>> js_divergence_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor(0.0895)

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy.
    """
    reduction = reduction_name(None, None, reduction, denominator)
    if p_logits.shape != q_logits.shape:
        expected = f"have the shape of p_logits {tuple(p_logits.shape)}"
        refuse("q_logits", expected, tuple(q_logits.shape))
    a, shape = classes_last(p_logits)
    p, q = parts_of(a).probs(), parts_of(classes_last(q_logits)[0]).probs()
    m = p / 2 + q / 2
    terms = kl_terms(xp, p, m, log_ratio(xp, p, m)) + kl_terms(xp, q, m, log_ratio(xp, q, m))
    loss = (terms.sum(-1) / 2).clamp(max=math.log(2))
    loss = reduced(loss, reduction, len(loss) if denominator is None else denominator)
    return loss.reshape(shape) if reduction == "none" else loss


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
    ValueError
        Shapes that differ.

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
    if mean.ndim == 0 or log_variance.shape != mean.shape:
        expected = f"have the mean's shape {tuple(mean.shape)}, with an axis of latent dimensions"
        refuse("log_variance", expected, tuple(log_variance.shape))
    dtype = arithmetic(mean)
    m, w = (torch.as_tensor(x, dtype=dtype, device=mean.device) for x in (q_mean, q_log_variance))
    distance = (mean.to(dtype) - m) ** 2 * torch.exp(-w)
    loss = (distance + expm1_minus(xp, log_variance.to(dtype) - w)).sum(-1) / 2
    return reduced(loss, reduction, loss.numel() if denominator is None else denominator)


def _check_log_probabilities(name: str, x: Tensor) -> None:
    if values_known(x):
        # As much above 0 as the logarithm of a distribution that sums to 1 within √eps may be.
        good = x <= torch.finfo(x.dtype).eps ** 0.5
        check_elements(name, x, good, "be log-probabilities, at most 0")
