"""The sums of all ranks merged into those of whole rows, and what follows: losses and gradients.

The gradient of every loss is g_j = a e_j + d e_j gap_j + b w_j + c [j = y] (c w_j t_j for a
distribution), with e_j = exp(−gap_j / T) and gap_j = m − x_j as in `plogq.torch.parallel.sums`, but
m the largest logit of all. That restates `settle` of `native/row.hpp`; d is of the entropy. Of the
focal loss of smoothed labels and distributions it is a e_j + c v_j (`plogq.torch.parallel.focal`).
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.softmax_state import LogSumExp
from plogq.formulas.terms import power, times
from plogq.kernels.question import Options
from plogq.torch.parallel.exchange import whole_numbers
from plogq.torch.parallel.sums import Fields


class Coefficients(NamedTuple):
    """The numbers of each row that a gradient is made of, (R,).

    Attributes
    ----------
    a, b, c, d
        As above; b and d are None where they are 0.
    beside, top
        The gradient at the largest logit: where it is not the label's, and where it is.
    label
        The gradient at the label where its logit is not the largest; None for distributions.
    """

    a: Tensor
    b: Tensor | None
    c: Tensor
    d: Tensor | None
    beside: Tensor
    top: Tensor
    label: Tensor | None


class Merged(NamedTuple):
    """The sums of whole rows, (R,).

    Attributes
    ----------
    state
        The largest logit m, and the rest of the log-sum-exp of x / T.
    holder
        The first rank whose largest logit is m.
    sums
        The other sums, by the names of `Fields`, of gaps to m and beside its class.
    options, soft
        Of the question.
    """

    state: LogSumExp
    holder: Tensor
    sums: dict[str, Tensor]
    options: Options
    soft: bool

    @classmethod
    def of(cls, numbers: Tensor, fields: Fields, options: Options, owner: Tensor | None) -> Merged:
        """Merge the numbers of all ranks, (size, count, R); `owner` is the rank of each label."""
        part = dict(zip(fields.names(), numbers.unbind(1), strict=True))
        temperature, parts = options.temperature, part["max"]  # (size, R)
        states = (LogSumExp(m, r) for m, r in zip(parts, part["rest"], strict=True))
        state = reduce(lambda s, t: s.merge(t, temperature), states)
        highest = state.max
        state = LogSumExp(highest, state.rest + (highest - highest))  # NaN where it is infinite
        holder = (parts == highest).to(torch.int8).argmax(0)
        below = torch.where(parts == -torch.inf, torch.inf, highest - parts)
        is_holder = torch.arange(len(parts), device=parts.device)[:, None] == holder
        sums: dict[str, Tensor] = {}
        for name in ("weight", "target"):
            if name not in part:
                continue
            beside, at_top = part[name], part[f"{name}_top"]
            sums[f"{name}_top"] = torch.where(is_holder, at_top, 0.0).sum(0)
            sums[name] = (beside + torch.where(is_holder, 0.0, at_top)).sum(0)
            gap = part[f"{name}_gap"] + times(xp, beside + at_top, below)
            sums[f"{name}_gap"] = gap.sum(0)
        if fields.entropy:
            share = (below / -temperature).exp()
            # A part without an open class is infinitely far below, and 0 · inf is 0.
            sums["gap"] = times(xp, share, part["gap"] + (1 + part["rest"]) * below).sum(0)
        if fields.smoothed:
            sums["open"] = part["open"].sum(0)
        if fields.soft:
            sums["target_total"] = part["target_total"].sum(0)
            sums["target_least"] = part["target_least"].amin(0)
        if owner is not None:
            at = owner[None]
            sums["x_target"] = part["x_target"].gather(0, at)[0]
            if fields.weighted:
                sums["w_target"] = part["w_target"].gather(0, at)[0]
        if fields.argmax:
            sums["argmax"] = whole_numbers(part["argmax"]).gather(0, holder[None])[0]
            if fields.soft:
                most = part["target_max"].argmax(0, keepdim=True)
                sums["target_argmax"] = whole_numbers(part["target_argmax"]).gather(0, most)[0]
        return cls(state, holder, sums, options, fields.soft)

    @property
    def log_total(self) -> Tensor:
        """Return log Σ exp(−gap / T)."""
        found: Tensor = self.state.rest.log1p()
        return found

    @property
    def lse(self) -> Tensor:
        """Return log Σ exp(x / T)."""
        found: Tensor = self.state.max / self.options.temperature + self.log_total
        return found

    @property
    def entropy(self) -> Tensor:
        """Return H(p)."""
        total = 1 + self.state.rest
        found: Tensor = self.log_total + self.sums["gap"] / (total * self.options.temperature)
        return found

    def losses(self) -> Tensor:
        """Return the loss of each row."""
        options, sums, log_total = self.options, self.sums, self.log_total
        smoothing, temperature = options.label_smoothing, options.temperature
        if "focal" in sums:
            loss: Tensor = sums["focal"]
        elif self.soft:
            weight = sums["target"] + sums["target_top"]
            surprisal = sums["target_gap"] / temperature + log_total * weight
            loss = times(xp, torch.full_like(surprisal, 1 - smoothing), surprisal)
        else:
            loss = times(xp, self._label()[0], self._surprisal())
        if smoothing and "focal" not in sums:
            weight = sums["weight"] + sums["weight_top"]
            uniform = sums["weight_gap"] / temperature + log_total * weight
            loss = loss + smoothing / sums["open"] * uniform
        if options.z_loss:
            loss = loss + options.z_loss * self.lse**2
        return loss

    def coefficients(self, scale: Tensor, of_entropy: Tensor | None = None) -> Coefficients:
        """Return those of the gradient of Σ scale · loss + of_entropy · H, scales (R,)."""
        options, sums, rest = self.options, self.sums, self.state.rest
        smoothing, temperature = options.label_smoothing, options.temperature
        total, scale = 1 + rest, scale / temperature
        z_slope = 2 * options.z_loss * self.lse if options.z_loss else torch.zeros_like(rest)
        b = None
        if "focal" in sums:
            at_top, beside = sums["focal_top"], sums["focal_beside"]
            c, v = -scale, torch.zeros_like(rest)
        elif self.soft:
            at_top = (1 - smoothing) * sums["target_top"]
            beside = (1 - smoothing) * sums["target"]
            c, v = scale * (smoothing - 1), torch.zeros_like(rest)
        else:
            v = self._label()[1]
            at_top = beside = torch.zeros_like(rest)
            c = -scale * v
        if smoothing and "focal" not in sums:
            share = smoothing / sums["open"]
            at_top = at_top + share * sums["weight_top"]
            beside = beside + share * sums["weight"]
            b = -share * scale
        a = scale * (beside + at_top + v + z_slope) / total
        # The label's v is beside the top, unless it is there.
        without = scale * ((beside + v + z_slope) - at_top * rest) / total
        with_label = scale * ((beside + z_slope) - (at_top + v) * rest) / total
        d = None
        if of_entropy is not None:
            d = of_entropy / (temperature * temperature * total)
            change = -d * sums["gap"] / total
            a, without, with_label = a + change, without + change, with_label + change
        label = None
        if not (self.soft or "focal" in sums):
            label = a * self._of_label() + c
            if b is not None:
                share = b if "w_target" not in sums else b * sums["w_target"]
                label = label + torch.where(sums["x_target"] > -torch.inf, share, 0.0)
        return Coefficients(a, b, c, d, without, with_label, label)

    def likeliest(self, numbers: Tensor, fields: Fields) -> tuple[Tensor, Tensor]:
        """Return log p of the likeliest classes of all parts, and these classes, (R, k)."""
        count, end = fields.top_k, numbers.shape[1] - fields.top_k
        logits = numbers[:, end - count : end].flatten(0, 1).t()
        ids = whole_numbers(numbers[:, end:]).flatten(0, 1).t()
        # A part of fewer classes fills up with −1 and −inf, which come after masked classes.
        last = (ids < 0).to(torch.int8).argsort(stable=True)
        logits, ids = logits.gather(1, last), ids.gather(1, last)
        best = logits.sort(descending=True, stable=True)
        values = (best.values[:, :count] - self.state.max[:, None]) / self.options.temperature
        return values - self.log_total[:, None], ids.gather(1, best.indices[:, :count])

    def _surprisal(self) -> Tensor:
        gap = self.state.max - self.sums["x_target"]
        surprisal: Tensor = gap / self.options.temperature + self.log_total
        return surprisal

    def _of_label(self) -> Tensor:
        """Return e of the label."""
        gap = self.state.max - self.sums["x_target"]
        found: Tensor = (gap / -self.options.temperature).exp()
        return found

    def _label(self) -> tuple[Tensor, Tensor]:
        """Return u and v of a label: its loss is u (−log p), and the gradient v (p − [j = y])."""
        options, rest = self.options, self.state.rest
        weight = self.sums.get("w_target")
        u = (1 - options.label_smoothing) * (torch.ones_like(rest) if weight is None else weight)
        if not options.gamma:
            return u, u
        total, surprisal = 1 + rest, self._surprisal()
        e = self._of_label()
        miss = torch.where(e == 1, rest, total - e) / total
        u = u * power(xp, miss, options.gamma)
        # −log p / (1 − p) is 1 at p = 1, and p (−log p) is 0 at p = 0.
        slope = torch.where(miss > 0, surprisal / miss, 1.0)
        return u, u * (1 + options.gamma * times(xp, e / total, slope))
