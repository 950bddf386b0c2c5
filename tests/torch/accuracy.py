"""How far ours and torch's losses are from mpmath's, in ulp of the input's dtype.

A gradient is measured in ulp of itself; where it is a difference p − t of two rounded numbers, in
ulp of the larger of itself and t. Of p = exp(−gap)/Σ, gap = max x − x_j, the rounding of the gap
alone makes `gap` ulp, for whoever computes it in this dtype: an error is divided by 1 + gap.
"""

import functools

import mpmath
import torch
from torch.nn import functional as F

import plogq.torch as pt

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
ROWS, CLASSES = 6, 17
WEIGHT = torch.tensor([(3 + i) / 8 for i in range(CLASSES)])  # exact in every dtype
POS_WEIGHT = torch.tensor(2.5)


def families(dtype):
    """Give logits by the name of what is special about them."""
    generator = torch.Generator().manual_seed(11)
    normal = torch.randn(ROWS, CLASSES, dtype=torch.float64, generator=generator)
    sure = normal.clone()
    sure[:, 2] += 25
    yield "scale 1", normal.to(dtype)
    yield "scale 10", (10 * normal).to(dtype)
    yield "nearly equal", (normal / 100).to(dtype)
    yield "confident", sure.to(dtype)
    yield "far from 0", (normal + 60).to(dtype)


LABELS = torch.tensor([2, 0, 16, 2, 5, 11])
SOFT = torch.zeros(ROWS, CLASSES)
SOFT[torch.arange(ROWS), LABELS] = 0.625
SOFT[:, 3] += 0.25
SOFT[:, 8] += 0.125


def _textbook_focal(x, y, **_):
    log_p = F.log_softmax(x, 1).gather(1, y[:, None])[:, 0]
    return -((1 - log_p.exp()) ** 2) * log_p


def _textbook_z_loss(x, y, **_):
    return F.cross_entropy(x, y, reduction="none") + 0.25 * x.logsumexp(1) ** 2


def _textbook_temperature(x, y, **_):
    return F.cross_entropy(x / 2, y, reduction="none")


# name: (target, options of ours, torch's function)
SOFTMAX = {
    "plain": (LABELS, {}, F.cross_entropy),
    "class weights": (LABELS, {"weight": WEIGHT}, F.cross_entropy),
    "label smoothing": (LABELS, {"label_smoothing": 0.125}, F.cross_entropy),
    "distributions": (SOFT, {}, F.cross_entropy),
    "distributions, weights, smoothing": (
        SOFT,
        {"weight": WEIGHT, "label_smoothing": 0.125},
        F.cross_entropy,
    ),
    "focal, γ = 2": (LABELS, {"gamma": 2.0}, _textbook_focal),
    "z-loss": (LABELS, {"z_loss": 0.25}, _textbook_z_loss),
    "temperature 2": (LABELS, {"temperature": 2.0}, _textbook_temperature),
}
BINARY = {
    "plain": (SOFT, {}, F.binary_cross_entropy_with_logits),
    "pos_weight": (SOFT, {"pos_weight": POS_WEIGHT}, F.binary_cross_entropy_with_logits),
}


def exact_softmax(x, target, weight=None, label_smoothing=0.0, gamma=0, z_loss=0, temperature=1):
    """Give losses and gradients of a few rows, and what a gradient is measured by: t and gap."""
    losses, gradients, terms = [], [], []
    smoothing = mpmath.mpf(label_smoothing)
    for row, t in zip(x.double().tolist(), target, strict=True):
        z = [mpmath.mpf(v) / temperature for v in row]
        lse = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in z))
        soft = t.tolist() if t.ndim else [float(j == t) for j in range(len(z))]
        u = [(1 - smoothing) * a + smoothing / len(z) for a in soft]
        if weight is not None:
            u = [w * a for w, a in zip(weight.tolist(), u, strict=True)]
        p = [mpmath.exp(v - lse) for v in z]
        surprisal = [lse - v for v in z]
        miss = [mpmath.fsum(p[:j] + p[j + 1 :]) for j in range(len(p))]
        share = [a * b**gamma for a, b in zip(u, miss, strict=True)]
        losses.append(mpmath.fdot(share, surprisal) + z_loss * lse**2)
        v = [
            a * (1 + gamma * q * c / m)
            for a, c, q, m in zip(share, surprisal, p, miss, strict=True)
        ]
        total = mpmath.fsum(v) + 2 * z_loss * lse
        gradients += [(total * q - a) / temperature for q, a in zip(p, v, strict=True)]
        cancels = t.ndim or label_smoothing or z_loss
        second, first = sorted(z)[-2:]
        gaps = [first - a if a < first else first - second for a in z]
        terms += [(a if cancels else 0, gap) for a, gap in zip(v, gaps, strict=True)]
    return losses, gradients, terms


def exact_binary(z, target, pos_weight=1):
    """Give the loss and gradient of each element, and what a gradient is measured by."""
    losses, gradients, terms = [], [], []
    for a, t in zip(z.flatten().double().tolist(), target.flatten().tolist(), strict=True):
        z_, t_ = mpmath.mpf(a), float(pos_weight) * mpmath.mpf(t)
        yes, no = mpmath.exp(-z_), mpmath.exp(z_)
        losses.append(t_ * mpmath.log1p(yes) + (1 - t) * mpmath.log1p(no))
        gradients.append((1 - t) / (1 + yes) - t_ / (1 + no))
        terms.append((t_ / (1 + no), abs(z_)))
    return losses, gradients, terms


def ulp(value, dtype):
    """Give the distance of floats of this dtype at a value."""
    info = torch.finfo(dtype)
    size = mpmath.ldexp(1, mpmath.frexp(abs(value))[1] - 1) if value else 0
    return info.eps * max(size, mpmath.mpf(info.tiny))


def worst(found, exact, terms, dtype):
    """Give the largest error, in ulp."""
    found = found.double().flatten().tolist()
    return max(
        float(abs(f - e) / ulp(max(abs(e), abs(t)), dtype) / (1 + gap))
        for f, e, (t, gap) in zip(found, exact, terms, strict=True)
    )


def errors(loss_of, x, exact, dtype):
    """Give the largest errors of the losses and of their gradient."""
    x = x.clone().requires_grad_()
    loss = loss_of(x)
    gradient = torch.autograd.grad(loss.sum(), x)[0]
    losses, gradients, terms = exact
    plain = [(0, 0)] * len(losses)
    return worst(loss.detach(), losses, plain, dtype), worst(gradient, gradients, terms, dtype)


# ours: (the cases of it, what is exact)
LOSSES = {
    pt.cross_entropy: (SOFTMAX, exact_softmax),
    pt.binary_cross_entropy_with_logits: (BINARY, exact_binary),
}


def bound(loss, target, options, dtype):
    """Give a loss of logits alone, of this dtype."""
    given = {k: v.to(dtype) if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    t = target if target.ndim == 1 else target.to(dtype)
    return lambda x: loss(x, t, reduction="none", **given)


@functools.cache
def reference(loss, name, dtype):
    """Give, by family, the logits, what is exact for them, and torch's errors."""
    cases, exact_of = LOSSES[loss]
    target, options, theirs = cases[name]
    theirs_of, found = bound(theirs, target, options, dtype), {}
    for family, x in families(dtype):
        exact = exact_of(x, target, **options)
        found[family] = x, exact, errors(theirs_of, x, exact, dtype)
    return found


def by_family(dtype):
    """Give each case: its name, and by family our errors (loss, gradient) and torch's."""
    with mpmath.workdps(60):
        for loss, (cases, _) in LOSSES.items():
            for name, (target, options, _) in cases.items():
                ours_of = bound(loss, target, options, dtype)
                found = {
                    family: errors(ours_of, x, exact, dtype) + theirs
                    for family, (x, exact, theirs) in reference(loss, name, dtype).items()
                }
                yield f"{loss.__name__}, {name}", found


def rows(dtype):
    """Give each case: its name, our errors (loss, gradient) and torch's, worst of all families."""
    for name, found in by_family(dtype):
        yield name, *map(max, zip(*found.values(), strict=True))


def table():
    """Write the figures as a page of Markdown."""
    lines = [
        "| loss | dtype | loss: ours | torch | gradient: ours | torch |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for dtype in DTYPES:
        kind = str(dtype).removeprefix("torch.")
        for name, *figures in rows(dtype):
            a, b, c, d = (f"{v:.2g}" for v in figures)
            lines.append(
                f"| `{name.split(', ')[0]}`, {name.split(', ', 1)[1]} | {kind} "
                f"| {a} | {c} | {b} | {d} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
