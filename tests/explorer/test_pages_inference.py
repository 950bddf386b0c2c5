"""The evidence lower bound, information gain, estimators: their numbers against exact ones."""

import math

import numpy as np
import pytest
from mpmath import mp

from plogq.explorer.pages.elbo import Model
from tests.explorer.answers import answer, some, values

# The evidence lower bound


def by_integrals(x, weight, noise, mean, sd):
    """Return reconstruction, code, evidence and gap, by their definitions."""
    weight, noise, mean, sd = map(mp.mpf, (weight, noise, mean, sd))
    sds = range(-12, 13, 2)

    def over(centre, width, of):
        return mp.quad(of, [centre + k * width for k in sds])

    def likelihood(z):
        return mp.npdf(x, weight * z, noise)

    def q(z):
        return mp.npdf(z, mean, sd)

    total = mp.hypot(weight, noise)
    centre, width = weight * x / total**2, noise / total
    evidence = over(centre, width, lambda z: mp.npdf(z) * likelihood(z))
    return (
        over(mean, sd, lambda z: q(z) * mp.log(likelihood(z))),
        over(mean, sd, lambda z: q(z) * mp.log(q(z) / mp.npdf(z))),
        mp.log(evidence),
        over(mean, sd, lambda z: q(z) * mp.log(q(z) * evidence / (mp.npdf(z) * likelihood(z)))),
    )


@some("elbo", 15)
def test_the_bound_is_its_integrals(got):
    bound, *parts = values(got)
    state = got["state"]
    right = by_integrals(*(state[name] for name in ("x", "weight", "noise", "mean", "sd")))
    for ours, exact in zip(parts, right, strict=True):
        assert math.isclose(ours, exact, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(bound, right[0] - right[1], rel_tol=1e-9)


@some("elbo", 100)
def test_what_the_page_says_of_the_bound(got):
    bound, reconstruction, code, evidence, gap = values(got)
    size = 1e-11 * (1 + abs(reconstruction) + code)
    assert abs(bound - reconstruction + code) < size
    assert abs(bound + gap - evidence) < size
    assert ("is tight" in got["notice"]) == (gap < 1e-9)
    state, q = got["state"], got["posterior"]
    assert ("mean is too low" in got["notice"]) <= (state["mean"] < q["mean"]["value"])
    assert ("too wide" in got["notice"]) <= (state["sd"] > q["sd"]["value"])
    assert all(cost["value"] >= 0 for cost in got["costs"].values())  # lengths that are drawn
    curve = np.array(got["curve"])
    assert curve[:, 1].max() <= evidence + size
    at = np.abs(curve[:, 0] - state["mean"]).argmin()
    if abs(curve[at, 0] - state["mean"]) < 1e-12:
        assert math.isclose(curve[at, 1], bound, rel_tol=1e-9)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.5, 3.0])
@pytest.mark.parametrize("noise", [0.4, 0.8, 2.0])
def test_the_posterior_can_be_taken_and_is_tight(weight, noise):
    for x in (-3.0, 0.0, 3.0):
        mean, sd = Model(weight, noise).posterior(x)
        got = answer("elbo", {"x": x, "weight": weight, "noise": noise, "mean": mean, "sd": sd})
        assert values(got)[4] == 0
        assert got["notice"].startswith("q is the posterior, so the bound is tight")


def test_the_bound_at_the_defaults():
    got = answer("elbo")
    assert [r["text"] for r in got["readouts"]] == TEXTS
    assert "its mean is too low and" in got["notice"]
    got = answer("elbo", {"mean": 0, "sd": 1})
    assert values(got)[2] == 0
    assert got["notice"].endswith("An autoencoder whose codes all end so has collapsed.")
    assert "the posterior is the prior" in answer("elbo", {"weight": 0, "mean": 1})["notice"]
