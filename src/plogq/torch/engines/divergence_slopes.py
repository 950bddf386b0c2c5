"""Divergences of a teacher's softmax and a model's, with their gradients in the model's logits."""

from __future__ import annotations

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.softmax_core import js_divergence, js_gradients, js_limit
from plogq.formulas.softmax_state import Softmax
from plogq.torch.engines.block_parts import Parts

_LEAST_SHARE = 1e-3  # a smaller one, of near rows, needs more digits than a difference leaves


def divergence_slopes(
    truth: Parts, model: Parts, temperature: float, beta: float
) -> tuple[Tensor, Tensor]:
    """Restate `plogq.formulas.js_divergence_from_logits` with the gradient in the model's x / T."""
    if beta == 0:
        return _kl_slopes(truth, model, temperature)
    if truth.p.dtype != torch.float64 and (beta == 1 or _LEAST_SHARE <= beta <= 1 - _LEAST_SHARE):
        slopes = _reverse_kl_slopes if beta == 1 else _js_slopes
        value, slope = slopes(truth, model, _log_ratio(truth, model, temperature), beta)
        if not value.isinf().any():
            return value.to(truth.p.dtype), slope.to(truth.p.dtype)
    given = truth.x, model.x, _softmax(truth), _softmax(model), temperature, beta
    found: Tensor = js_divergence(xp, *given)
    slope = js_gradients(xp, *given)[1]
    slope = torch.where(found.isnan()[:, None], torch.nan, slope)  # its NaN is a masked class
    return found.clamp(max=js_limit(beta)), slope


def _softmax(parts: Parts) -> Softmax:
    """Return the same parts by the names of the formulas."""
    is_top = torch.zeros_like(parts.p, dtype=torch.bool).scatter_(1, parts.top, True)
    exp = parts.below.exp()
    return Softmax(is_top, parts.x.gather(1, parts.top), -parts.below, exp, parts.rest)


def _log_ratio(truth: Parts, model: Parts, temperature: float) -> Tensor:
    """Return d = log(q/p) in float64, ±inf where one is masked, and 0 where both are."""
    highest = model.x.gather(1, model.top).double() - truth.x.gather(1, truth.top)
    d = (model.x.double() - truth.x).sub_(highest).div_(temperature)
    d.nan_to_num_(0.0, torch.inf, -torch.inf)
    d -= model.rest.double().log1p() - truth.rest.double().log1p()  # NaN in a row that has NaN
    return _exact_where_near(d, truth, model, temperature)


def _exact_where_near(d: Tensor, truth: Parts, model: Parts, temperature: float) -> Tensor:
    """Return d = log(q/p), in rows that are near as h − log Σ p exp h.

    h is the difference of their logits. An error of their normalisers would be as large as d.
    """
    near = d.abs().amax(1) <= 2
    if near.any():
        h = model.x[near].double() - truth.x[near]
        h = (h - h.gather(1, truth.top[near])).div_(temperature)
        h.nan_to_num_(0.0)  # where both are masked
        d[near] = h - (truth.p[near] * h.expm1()).sum(1, keepdim=True).log1p_()
    return d


def _js_slopes(truth: Parts, model: Parts, d: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Return β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m), and its gradient in the model's x / T.

    Of p and q, l is the larger and s β or 1 − β, the share of the smaller in m. A term is
    −l ((1 − s) log(m/l) + s exp(−|d|) (log(m/l) + |d|)), which cancels only to the square of d.
    """
    model_is_larger = d > 0
    share = model_is_larger.to(d.dtype).mul_(2 * beta - 1).add_(1 - beta)
    gap = d.abs().clamp_(max=700)  # exp(−700) is 0 beside 1, and 0 · inf would be NaN
    fall = gap.neg().expm1_()
    of_larger = (share * fall).log1p_()
    of_smaller = of_larger + gap
    terms = fall.add_(1.0).mul_(share).mul_(of_smaller).addcmul_(1 - share, of_larger)
    terms *= torch.where(model_is_larger, model.p, truth.p)
    value = terms.sum(1).neg_().clamp_(0.0, js_limit(beta))
    gain = torch.where(model_is_larger, of_larger, of_smaller)
    return value, _through_softmax(model, gain).mul_(beta - 1)


def _reverse_kl_slopes(truth: Parts, model: Parts, d: Tensor, _: float) -> tuple[Tensor, Tensor]:
    """Return D_KL(q ‖ p), and its gradient q_k (d_k − D_KL(q ‖ p)) in the model's x / T.

    A term is q log(q/p) − q + p: q (d + expm1(−d)) of q > p, and p (exp(d) d − expm1(d)) else.
    """
    p, q, below = truth.p, model.p, d.clamp(-700.0, 0.0)
    fall = below.expm1()
    of_less = (fall + 1).mul_(below).sub_(fall).mul_(p)
    of_more = d.neg().clamp_(max=0.0).expm1_().add_(d).mul_(q)
    of_more.masked_fill_(q == 0, 0.0)  # q has underflowed, and p may be masked
    value = torch.where(d > 0, of_more, of_less).sum(1)
    return value, _through_softmax(model, d.clamp_(min=-700.0))


def _through_softmax(parts: Parts, g: Tensor) -> Tensor:
    """Restate `plogq.formulas.softmax_core.through_softmax`: p_k (g_k − Σ_j p_j g_j)."""
    p, top = parts.p, parts.top
    others = (p * g).scatter_(1, top, 0.0).sum(1, keepdim=True)
    p_top, g_top = p.gather(1, top), g.gather(1, top)
    slope = (g - (others + p_top * g_top)).mul_(p)
    return slope.scatter_(1, top, p_top * (g_top * parts.miss - others))


def _kl_slopes(truth: Parts, model: Parts, temperature: float) -> tuple[Tensor, Tensor]:
    """Return D_KL(p ‖ q), and its gradient q − p in the model's x / T.

    With d = log(q/p) they are Σ p (expm1 d − d) and p expm1 d, which do not cancel for q near p.
    """
    p, q = truth.p, model.p
    d = model.below.sub_(truth.below).sub_(model.rest.log1p() - truth.rest.log1p()).double()
    d = _exact_where_near(d, truth, model, temperature)
    grown = d.expm1()
    # Below the least normal number p has lost its digits; there all terms but q are negligible.
    lost = p < torch.finfo(p.dtype).tiny
    terms = torch.where(lost, q, (grown - d).mul_(p))
    slope = torch.where(lost | (d >= 80), q - p, grown.mul_(p).to(p.dtype))
    return terms.sum(1).to(p.dtype), slope
