"""Forward and reverse KL: the normal that covers two bumps, and the one that seeks one of them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Number, State
from plogq.explorer.page import Page, Result, readout
from plogq.explorer.shown import figure, shown

Floats = NDArray[np.float64]

# Fine enough for the bend of log p between the bumps, wide enough for seven deviations of any
# model: a sum over it is the integral to nine digits (tests/explorer/test_pages_chain.py).
GRID = np.linspace(-42, 42, 4201)
STEP = GRID[1] - GRID[0]
SEEN = (np.abs(GRID) <= 10.001) & (np.arange(len(GRID)) % 4 == 0)  # what is drawn
NODES = np.linspace(-7, 7, 281)  # places of a standard normal, and their weights:
WEIGHTS = plogq.softmax(-(NODES**2) / 2)


class Normal(NamedTuple):
    """A model."""

    mean: float
    sd: float

    def log_density(self, x: Floats) -> Floats:
        """Give log q, up to a constant."""
        out: Floats = -(((x - self.mean) / self.sd) ** 2) / 2 - math.log(self.sd)
        return out


class Bumps(NamedTuple):
    """The target: two normals of one width, mixed; the left one has this weight."""

    apart: float
    weight: float
    width: float

    def parts(self, x: Floats) -> tuple[Floats, Floats]:
        """Give the log-densities of both bumps times their weights, up to a constant."""
        left, right = (Normal(side * self.apart / 2, self.width) for side in (-1, 1))
        return (
            left.log_density(x) + math.log(self.weight),
            right.log_density(x) + math.log(1 - self.weight),
        )

    def log_density(self, x: Floats) -> Floats:
        """Give log p, up to a constant."""
        return np.logaddexp(*self.parts(x))

    def moments(self) -> Normal:
        """Give the normal with the target's mean and variance: no other has a lower KL(p ‖ q)."""
        w = self.weight
        variance = self.width**2 + w * (1 - w) * self.apart**2
        return Normal((1 - 2 * w) * self.apart / 2, math.sqrt(variance))


def forward(p: Bumps, q: Normal) -> float:
    """Give KL(p ‖ q) in nats."""
    return float(plogq.kl_divergence_from_logits(p.log_density(GRID), q.log_density(GRID)).value)


def reverse(p: Bumps, q: Normal) -> float:
    """Give KL(q ‖ p) in nats."""
    return float(plogq.kl_divergence_from_logits(q.log_density(GRID), p.log_density(GRID)).value)


class Fit(NamedTuple):
    """The best normal by one of the divergences, and what it leaves of that, in nats."""

    normal: Normal
    left: float


@lru_cache(maxsize=64)  # the fits stay the same while the reader moves the normal
def fits(p: Bumps) -> tuple[Fit, Fit]:
    """Give the best normal forward, and the best in reverse that three descents find."""
    covers = p.moments()
    begin = (Normal(-p.apart / 2, p.width), Normal(p.apart / 2, p.width), covers)
    found = [Fit(q, reverse(p, q)) for q in (descend(p, q) for q in begin)]
    best = min(found, key=lambda fit: round(fit.left, 9))  # of two equally good ones, the left
    return Fit(covers, forward(p, covers)), best


def descend(p: Bumps, q: Normal) -> Normal:
    """Follow the natural gradient of KL(q ‖ p) to where E[∂ log p] = 0 and −E[∂² log p] = 1/s².

    The derivatives by mean and variance are Bonnet's and Price's; E[∂² log p] is E[z ∂ log p] / s
    by Stein's lemma. The step is Khan, Rue (2023), The Bayesian Learning Rule, section 3.
    """
    mean, precision = q.mean, q.sd**-2
    for _ in range(200):
        sd = precision**-0.5
        x = mean + sd * NODES
        one, other = p.parts(x)
        left = plogq.sigmoid(one - other)  # the probability that x is of the left bump
        slope = (p.apart / 2 - p.apart * left - x) / p.width**2
        up, curve = float(WEIGHTS @ slope), float(WEIGHTS @ (slope * NODES)) / sd
        # Between bumps log p may curve upwards; the model then widens, by a bounded factor.
        precision = precision / 2 + max(-curve, precision / 2) / 2
        step = up / precision / 2
        mean += step
        if abs(step) < 1e-10 and abs(precision + curve) < 1e-9 * precision:
            break
    return Normal(mean, precision**-0.5)


def compute(state: State) -> Result:
    """Give both divergences of a normal from the target, and the normals that are best by each."""
    p = Bumps(state["apart"], state["weight"], state["width"])
    q = Normal(state["mean"], state["sd"])
    (covers, least_forward), (seeks, least_reverse) = fits(p)
    answer = forward(p, q), reverse(p, q)
    both, least = (_nine(answer[0]), _nine(answer[1])), (_nine(least_forward), _nine(least_reverse))
    log_p, log_q = plogq.log_softmax(p.log_density(GRID)), plogq.log_softmax(q.log_density(GRID))
    gap = log_p - log_q
    return {
        "curves": {
            "target": _curve(np.exp(log_p)),
            "model": _curve(np.exp(log_q)),
            "covers": _curve(plogq.softmax(covers.log_density(GRID))),
            "seeks": _curve(plogq.softmax(seeks.log_density(GRID))),
            "forward": _curve(np.exp(log_p) * gap),
            "reverse": _curve(-np.exp(log_q) * gap),
        },
        "fits": {
            name: {"mean": figure(_nine(fit.mean), 2), "sd": figure(_nine(fit.sd), 2)}
            for name, fit in (("covers", covers), ("seeks", seeks))
        },
        "readouts": [
            readout("KL(p ‖ q), forward", both[0], "nats", "keep"),
            readout("the least that a normal can reach", least[0], "nats"),
            readout("KL(q ‖ p), reverse", both[1], "nats", "waste"),
            readout("the least that a normal can reach in reverse", least[1], "nats"),
        ],
        "notice": _notice(p, q, covers, seeks, both, least),
        "code": _code(p, q),
        "answer": list(answer),
    }


def _curve(shares: Floats) -> Floats:
    """Give the points (x, density) to draw, from the share that each step of the grid holds."""
    out: Floats = np.stack([GRID, np.round(shares / STEP, 6)], axis=1)[SEEN]
    return out


def _nine(x: float) -> float:
    """Round to nine decimals, and turn −0 into 0."""
    return round(x, 9) + 0.0


def _code(p: Bumps, q: Normal) -> str:
    return (
        "import plogq, numpy as np\n"
        f"x = np.linspace({GRID[0]:g}, {GRID[-1]:g}, {len(GRID)})\n"
        "normal = lambda mean, sd: -(((x - mean) / sd) ** 2) / 2 - np.log(sd)\n"
        f"left = normal({-p.apart / 2!r}, {p.width!r}) + np.log({p.weight!r})\n"
        f"right = normal({p.apart / 2!r}, {p.width!r}) + np.log(1 - {p.weight!r})\n"
        f"p, q = np.logaddexp(left, right), normal({q.mean!r}, {q.sd!r})\n"
        "kl = plogq.kl_divergence_from_logits\n"
        "[kl(p, q).value, kl(q, p).value]"
    )


def _notice(
    p: Bumps,
    q: Normal,
    covers: Normal,
    seeks: Normal,
    both: tuple[float, float],
    least: tuple[float, float],
) -> str:
    if p.apart < 1e-9:
        return (
            "The two bumps lie on each other, so the target is itself a normal, and that normal is "
            f"best by both measures. Yours is {shown(both[0])} nats away from it forward, and "
            f"{shown(both[1])} in reverse."
        )
    paid = [f"{shown(x)} nats" for x in both]
    here = (
        f"Forward, your normal pays {paid[0]} for what the target has and the normal does not "
        f"expect. In reverse it pays {paid[1]} for what it expects and the target does not have."
    )
    same = abs(covers.mean - seeks.mean) < 0.1 * p.width and abs(covers.sd / seeks.sd - 1) < 0.1
    if same:
        return (
            f"{here} Here nearly one normal is best by both. If the bumps were further apart or "
            "narrower, two different ones would be best."
        )
    side = "left" if seeks.mean < 0 else "right"
    if abs(abs(seeks.mean) - p.apart / 2) < 0.1 * p.apart:
        tie = " (one on the other bump is as good)" if abs(p.weight - 0.5) < 1e-9 else ""
        how = f"the best in reverse sits on the {side} bump{tie}, and pays {shown(least[1])}"
    else:
        how = f"the best in reverse is narrower, and pays {shown(least[1])}"
    return f"{here} The best forward lies over both bumps, and pays {shown(least[0])}; {how}."


PAGE = Page(
    title="Forward and reverse KL",
    summary="A model that cannot fit the whole target must choose: cover all of it, or keep to "
    "one likely part.",
    words="mode seeking covering inclusive exclusive moment projection variational inference "
    "mixture asymmetry",
    controls={
        "mean": Number("mean of your normal q", 0.0, -6.0, 6.0, 0.05),
        "sd": Number("its standard deviation", 2.0, 0.3, 5.0, 0.05),
        "apart": Number("target p: how far the bumps are apart", 5.0, 0.0, 8.0, 0.1),
        "weight": Number("weight of the left bump", 0.6, 0.05, 0.95, 0.05),
        "width": Number("width of each bump", 0.8, 0.4, 2.0, 0.05),
    },
    checks=("kl_div_arguments",),
    compute=compute,
)
