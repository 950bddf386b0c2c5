"""Divergences of a teacher's softmax and a model's, with their gradients in the model's logits."""

from __future__ import annotations

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.softmax_core import js_divergence, js_gradients, js_limit
from plogq.formulas.softmax_state import Softmax
from plogq.torch.engines.block_parts import Parts


def divergence_slopes(
    truth: Parts, model: Parts, temperature: float, beta: float
) -> tuple[Tensor, Tensor]:
    """Restate `plogq.formulas.js_divergence_from_logits` with the gradient in the model's x / T."""
    if beta == 0:
        return kl_slopes(truth, model)
    given = truth.x, model.x, _softmax(truth), _softmax(model), temperature, beta
    value: Tensor = js_divergence(xp, *given)
    return value.clamp(max=js_limit(beta)), js_gradients(xp, *given)[1]


def _softmax(parts: Parts) -> Softmax:
    """Return the same parts by the names of the formulas."""
    is_top = torch.zeros_like(parts.p, dtype=torch.bool).scatter_(1, parts.top, True)
    exp = parts.below.exp()
    return Softmax(is_top, parts.x.gather(1, parts.top), -parts.below, exp, parts.rest)


def kl_slopes(truth: Parts, model: Parts) -> tuple[Tensor, Tensor]:
    """Restate `plogq.formulas.kl_divergence_from_logits`: D_KL(p ‖ q) and its gradient q − p.

    With d = log(q/p) they are Σ p (expm1 d − d) and p expm1 d, which do not cancel for q near p.
    """
    p, q = truth.p, model.p
    d = model.below.sub_(truth.below).sub_(model.rest.log1p() - truth.rest.log1p()).double()
    grown = d.expm1()
    # Below the least normal number p has lost its digits; there all terms but q are negligible.
    lost = p < torch.finfo(p.dtype).tiny
    terms = torch.where(lost, q, (grown - d).mul_(p))
    slope = torch.where(lost | (d >= 80), q - p, grown.mul_(p).to(p.dtype))
    return terms.sum(1).to(p.dtype), slope
