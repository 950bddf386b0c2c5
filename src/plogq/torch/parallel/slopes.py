"""The gradient of a rank's part of the logits, from the coefficients of whole rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.terms import times
from plogq.torch.autograd import memory_of, no_kernel, no_memory
from plogq.torch.engines.block_parts import BLOCK
from plogq.torch.engines.native_rows import run_rows
from plogq.torch.parallel.focal import Focus, focal_block
from plogq.torch.parallel.merged import Coefficients
from plogq.torch.parallel.sums import ELSEWHERE, has_masked, plain_rows
from plogq.torch.questions import Rows, arithmetic


@dataclass(slots=True)
class Sloping:
    """The question for the gradient of rows.

    Attributes
    ----------
    rows
        As for `plogq.torch.parallel.sums.Summing`.
    coefficients
        Of the gradient, (R,).
    highest
        m of the whole rows, (R,).
    part
        (2, R): the largest logit of this part, and the rest of its log-sum-exp.
    top
        (R,): its class in this part.
    holds
        (R,) bool: whether that is the largest of all.
    focus
        What is known of the rows of a focal loss whose terms were exchanged; else None.
    into
        Receives the gradient; it may be the logits.
    """

    rows: Rows
    coefficients: Coefficients
    highest: Tensor
    part: Tensor
    top: Tensor
    holds: Tensor
    focus: Focus | None
    into: Tensor

    def of(self, at: slice | Tensor, rows: Rows, into: Tensor) -> Sloping:
        """Return the question for some of the rows."""
        picked = (None if t is None else t[at] for t in self.coefficients)
        coefficients = Coefficients(*picked)  # type: ignore[arg-type]
        highest, part = self.highest[at], self.part[:, at]
        focus = None if self.focus is None else self.focus.of(at)
        top, holds = self.top[at], self.holds[at]
        return Sloping(rows, coefficients, highest, part, top, holds, focus, into)


def no_native_slopes(x: Tensor, asked: Sloping) -> str:
    """Say why the kernel cannot give the gradient; an empty text if it can."""
    if asked.focus is not None:
        return "the kernel has no focal loss of distributions or smoothed labels"
    if asked.rows.soft:
        return "the kernel has no gradient of a part of distributions"
    if asked.coefficients.b is not None and x.dtype != arithmetic(x):
        return "smoothing would be added to a rounded gradient"
    if asked.coefficients.d is not None:
        return "the kernel has no gradient of an entropy"
    return no_kernel(x) or no_memory(x, asked.rows.keep)


def native_slopes(x: Tensor, asked: Sloping) -> None:
    """Give the gradient by the kernel: that of the part's own softmax, scaled row by row."""
    keep, coefficients, into = asked.rows.keep, asked.coefficients, asked.into
    temperature = asked.rows.options.temperature
    largest, rest = asked.part.double()
    a = coefficients.a.double()
    # The part's largest e_j among all, and so T a Σ e_j times its own probabilities is a e_j.
    e = ((largest - asked.highest.double()) / temperature).exp()
    is_open = largest > -torch.inf
    scale = torch.where(is_open, temperature * a * e * (1 + rest), 0.0)
    counted = is_open if keep is None else is_open & keep
    b = None if coefficients.b is None else torch.where(counted, coefficients.b, 0.0)[:, None]
    if b is not None:
        b = b if asked.rows.weight is None else b * asked.rows.weight
        b = torch.where(x > -torch.inf, b, 0.0) if has_masked(x) else b
    plain = plain_rows(asked.top, counted, asked.rows.options)
    run_rows(x, plain, row_scale=memory_of(scale), gradient=into)
    if b is not None:
        into += b
    lost = ~is_open & a.isnan()
    lost = lost if keep is None else lost & keep
    if lost.any():
        into.masked_fill_(lost[:, None], torch.nan)
    _finish(asked, is_open)


def _finish(asked: Sloping, is_open: Tensor) -> None:
    """Write the gradient at the label, and at the largest logit, of which the kernel knew nothing.

    The kernel took the part's largest logit for the label, and its gradient there is not used. A
    row that is not open has no logit above −inf in this part, and may have its label here.
    """
    keep = asked.rows.keep
    counted = is_open if keep is None else is_open & keep
    label, top, coefficients, into = asked.rows.target, asked.top, asked.coefficients, asked.into
    assert label is not None
    assert coefficients.label is not None
    temperature = asked.rows.options.temperature
    e = ((asked.part[0] - asked.highest) / temperature).exp()
    at_top = coefficients.a * e
    if coefficients.b is not None:
        weight = asked.rows.weight
        at_top += coefficients.b if weight is None else coefficients.b * weight[top]
    is_label = label == top
    largest = torch.where(is_label, coefficients.top, coefficients.beside)
    at_top = torch.where(
        asked.holds, largest, torch.where(is_label, at_top + coefficients.c, at_top)
    )
    here = (label != ELSEWHERE) & ~(is_label & is_open)
    here = here if keep is None else here & keep
    place = label.clamp(min=0)
    for at, values, where in ((top, at_top, counted), (place, coefficients.label, here)):
        kept = into.gather(1, at[:, None])
        into.scatter_(
            1, at[:, None], torch.where(where[:, None], values[:, None].to(into.dtype), kept)
        )


def block_slopes(x: Tensor, asked: Sloping) -> None:
    """Give the gradient by torch operations on blocks of rows."""
    step = max(1, BLOCK // x.shape[1])
    for i in range(0, len(x), step):
        at = slice(i, i + step)
        asked.into[at] = _block(x[at], asked, at)


def _block(x: Tensor, asked: Sloping, at: slice) -> Tensor:
    rows, temperature = asked.rows, asked.rows.options.temperature
    keep = None if rows.keep is None else rows.keep[at]
    assert rows.target is not None
    x = x.to(arithmetic(x))
    if keep is not None:
        x = x.masked_fill(~keep[:, None], 0.0)
    of = asked.coefficients
    a, c, beside, with_label = (t[at, None] for t in (of.a, of.c, of.beside, of.top))
    b, d = (None if t is None else t[at, None] for t in (of.b, of.d))
    gap = asked.highest[at, None] - x
    e = (gap / -temperature).exp_()
    g = e * a if d is None else e * a + times(xp, e, gap) * d
    weight = None if rows.weight is None else rows.weight[None, :]
    if b is not None:
        share = b if weight is None else b * weight
        g += torch.where(x > -torch.inf, share, 0.0)
    top, holds = asked.top[at, None], asked.holds[at, None]
    if asked.focus is not None:
        g += c * focal_block(x, rows, asked.focus, at)[1]
        at_top = torch.where(holds, beside, g.gather(1, top))
    elif rows.soft:
        t = rows.target[at].to(x.dtype)
        g += c * (t if weight is None else weight * t)
        at_top = torch.where(holds, beside, g.gather(1, top))
    else:
        label = rows.target[at, None]
        other = torch.where(label == ELSEWHERE, 0.0, c)
        g.scatter_add_(1, label.clamp(min=0), other)
        largest = torch.where(label == top, with_label, beside)
        at_top = torch.where(holds, largest, g.gather(1, top))
    g.scatter_(1, top, at_top)
    return g if keep is None else g.masked_fill_(~keep[:, None], 0.0)
