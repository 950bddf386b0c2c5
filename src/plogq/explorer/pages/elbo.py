"""The evidence lower bound: what a guess of the hidden cause gives, and how far it falls short."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Number, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.pages.likelihood import surprisal
from plogq.explorer.shown import figure, shown

Floats = NDArray[np.float64]

LIMIT = 5.0  # of the mean of q, and of the z that are drawn: no posterior's mean is beyond it
MEANS = np.linspace(-LIMIT, LIMIT, 201)
CODES = np.linspace(-LIMIT, LIMIT, 401)


class Normal(NamedTuple):
    """A distribution of the code z."""

    mean: float
    sd: float

    def kl(self, other: Normal) -> float:
        """Return KL(self ‖ other), nats."""
        (mean, log_variance), (to_mean, to_log_variance) = self.arrays(), other.arrays()
        return float(plogq.normal_kl(mean, log_variance, to_mean, to_log_variance))

    def arrays(self) -> tuple[Floats, Floats]:
        """Return mean and log-variance as arrays of shape (1,), as for one dimension of a code."""
        return np.array([self.mean]), np.array([2 * np.log(self.sd)])

    def density(self, z: Floats) -> Floats:
        """Return the density at each z."""
        out: Floats = np.exp(-surprisal(z, self.mean, self.sd))
        return out


PRIOR = Normal(0.0, 1.0)


class Model(NamedTuple):
    """z ~ N(0, 1), then x ~ N(weight · z, noise²)."""

    weight: float
    noise: float

    def evidence(self, x: float) -> float:
        """Return log p(x), nats: x is normal, too."""
        return -float(surprisal(np.array(x), 0.0, math.hypot(self.weight, self.noise)))

    def posterior(self, x: float) -> Normal:
        """Return p(z | x)."""
        sd = math.hypot(self.weight, self.noise)
        return Normal(self.weight * x / sd**2, self.noise / sd)

    def reconstruction(self, x: float, mean: Floats | float, sd: float) -> Floats:
        """Return E log p(x | z) for z ~ N(mean, sd²), nats, one for each mean."""
        at_mean = surprisal(np.array(x), self.weight * mean, self.noise)
        out: Floats = -(at_mean + (self.weight * sd / self.noise) ** 2 / 2)
        return out


def compute(state: State) -> Result:
    """Give the ELBO with its two parts, and the evidence with the gap to it."""
    x, q = state["x"], Normal(state["mean"], state["sd"])
    model = Model(state["weight"], state["noise"])
    posterior, evidence = model.posterior(x), model.evidence(x)
    reconstruction, code = float(model.reconstruction(x, *q)), q.kl(PRIOR)
    gap = round(q.kl(posterior), 12)
    bound = float(plogq.elbo(reconstruction, *q.arrays()))
    widths = np.full_like(MEANS, 2 * np.log(q.sd))
    curve = plogq.elbo(model.reconstruction(x, MEANS, q.sd), MEANS[:, None], widths[:, None])
    return {
        "curves": {
            name: np.stack([CODES, np.round(one.density(CODES), 6)], axis=1)
            for name, one in (("prior", PRIOR), ("posterior", posterior), ("code", q))
        },
        "costs": {
            "reconstruction": figure(-reconstruction),
            "code": figure(code),
            "evidence": figure(-evidence),
            "gap": figure(gap),
        },
        "posterior": {"mean": figure(posterior.mean), "sd": figure(posterior.sd)},
        "curve": np.stack([MEANS, curve], axis=1),
        "here": [q.mean, bound],
        "evidence": evidence,
        "readouts": [
            readout("ELBO", bound, "nats"),
            readout(
                "reconstruction: log p(x | z), on average over q", reconstruction, "nats", "keep"
            ),
            readout("KL(q ‖ prior): what the code costs", code, "nats", "waste"),
            readout("log p(x), the evidence", evidence, "nats", "gain"),
            readout("KL(q ‖ posterior): the gap between them", gap, "nats", "rest"),
        ],
        "notice": _notice(model, q, posterior, gap, code, reconstruction),
        "code": _code(x, model, q),
        "answer": bound,
    }


def _code(x: float, model: Model, q: Normal) -> str:
    given = python([x, model.weight, model.noise, q.mean, q.sd])[1:-1]
    return (
        "import plogq, numpy as np\n"
        f"x, weight, noise, mean, sd = {given}\n"
        "off = ((x - weight * mean) ** 2 + (weight * sd) ** 2) / noise**2\n"
        "reconstruction = -(np.log(2 * np.pi * noise**2) + off) / 2\n"
        "plogq.elbo(reconstruction, [mean], [2 * np.log(sd)])"
    )


def _notice(
    model: Model, q: Normal, posterior: Normal, gap: float, code: float, reconstruction: float
) -> str:
    nothing = (
        " With weight 0, x says nothing about z: the posterior is the prior."
        if model.weight == 0
        else ""
    )
    if gap < 1e-9:
        return (
            "q is the posterior, so the bound is tight: the ELBO is log p(x) itself, and no other "
            f"q reaches it.{nothing}"
        )
    causes = [
        f"{shown(part)} because {what}"
        for part, what in (
            (
                Normal(q.mean, posterior.sd).kl(posterior),
                f"its mean is too {'low' if q.mean < posterior.mean else 'high'}",
            ),
            (
                Normal(posterior.mean, q.sd).kl(posterior),
                f"it is too {'narrow' if q.sd < posterior.sd else 'wide'}",
            ),
        )
        if part > gap / 1000
    ]
    lost = f"q is not the posterior, and the ELBO is {shown(gap)} nats below log p(x): "
    lost += f"{' and '.join(causes)}."
    if nothing:
        return lost + nothing
    if code < 1e-9:
        return (
            f"{lost} q is the prior: as a code it costs nothing, and it says nothing about x. An "
            "autoencoder whose codes all end so has collapsed."
        )
    return (
        f"{lost} The reconstruction costs {shown(-reconstruction)} nats and the code "
        f"{shown(code)}: at the posterior their sum is least."
    )


PAGE = Page(
    title="The evidence lower bound",
    summary="How likely a model finds x is often too hard to compute. Any guess of the hidden "
    "cause gives a lower bound, and a better guess a closer one.",
    words="ELBO VAE variational autoencoder inference latent posterior collapse free energy "
    "reconstruction Gaussian code Kingma Welling",
    controls={
        "mean": Number("mean of your q", 0.5, -LIMIT, LIMIT, 0.05),
        "sd": Number("its standard deviation", 0.8, 0.1, 2.0, 0.05),
        "x": Number("the observation x", 2.0, -3.0, 3.0, 0.1),
        "weight": Number("weight: how much of z is in x", 1.5, 0.0, 3.0, 0.1),
        # From 0.4 on no density exceeds 1, so that every −log of one is a length to draw.
        "noise": Number("noise: standard deviation of x given z", 0.8, 0.4, 2.0, 0.05),
    },
    compute=compute,
)
