"""Densities by quadrature, against closed forms in mpmath and the normals' own."""

import math

import numpy as np
import pytest

import plogq
from tests import oracles
from tests.optional import optional
from tests.oracles import mp

stats = optional("scipy.stats")


def normal(mean, sigma):
    return mp.mpf(mean), 2 * mp.log(mp.mpf(sigma))


def normal_entropy(_, sigma):
    return oracles.normal_entropy([normal(0, sigma)[1]])


def gamma_entropy(a):
    return a + mp.loggamma(a) + (1 - a) * mp.digamma(a)


ENTROPIES = {
    "standard normal": (stats.norm(), normal_entropy(0, 1)),
    "normal": (stats.norm(30, 2.5), normal_entropy(30, 2.5)),
    "narrow and far off": (stats.norm(1e6, 1e-6), normal_entropy(1e6, 1e-6)),
    "wide": (stats.norm(-3, 1e6), normal_entropy(-3, 1e6)),
    "uniform": (stats.uniform(-1, 3), mp.log(3)),
    "exponential": (stats.expon(scale=0.5), 1 + mp.log(0.5)),
    "Laplace": (stats.laplace(), 1 + mp.log(2)),
    "Cauchy": (stats.cauchy(), mp.log(4 * mp.pi)),
    "gamma": (stats.gamma(3), gamma_entropy(mp.mpf(3))),
    "a pole at each end": (stats.beta(0.5, 0.5), mp.log(mp.pi / 4)),
}


@pytest.mark.parametrize("name", ENTROPIES)
def test_entropy(name):
    density, right = ENTROPIES[name]
    ours = plogq.density_entropy(density)
    assert abs(ours.value - float(right)) <= ours.error + 4e-15 * abs(float(right))
    assert ours.error < 1e-3
    bits = plogq.density_entropy(density, unit="bit")
    assert bits == pytest.approx([x / math.log(2) for x in ours], rel=1e-14)


PAIRS = [((0, 1), (1, 1)), ((30, 2.5), (35, 4)), ((0, 1), (50, 1)), ((1e6, 1e-3), (1e6, 2e-3))]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_divergence_and_cross_entropy_of_normals(p, q):
    divergence = oracles.normal_kl(*normal(*p), *normal(*q))
    kl = plogq.density_kl_divergence(stats.norm(*p), stats.norm(*q))
    assert abs(kl.value - float(divergence)) <= kl.error + 4e-15 * float(divergence)
    cross = plogq.density_cross_entropy(stats.norm(*p), stats.norm(*q))
    right = float(divergence + normal_entropy(*p))
    assert abs(cross.value - right) <= cross.error + 4e-15 * abs(right)
    closed = plogq.normal_kl([p[0]], [2 * math.log(p[1])], [q[0]], [2 * math.log(q[1])])
    assert closed == pytest.approx(float(divergence), rel=1e-12)


def test_divergence_of_other_densities():
    uniform = plogq.density_kl_divergence(stats.uniform(), stats.uniform(-1, 3))
    assert uniform.value == pytest.approx(math.log(3), rel=1e-14)
    exponential = plogq.density_kl_divergence(stats.expon(), stats.expon(scale=2))
    assert exponential.value == pytest.approx(math.log(2) - 0.5, rel=1e-9)
    heavy = plogq.density_kl_divergence(stats.t(3), stats.norm())
    with mp.workdps(20):
        tail = mp.quad(
            lambda x: (1 + x**2 / 3) ** -2 * (2 * mp.log(1 + x**2 / 3) - x**2 / 2),
            [-mp.inf, 0, mp.inf],
        )
        scale = 2 / (mp.pi * mp.sqrt(3))
        right = mp.log(scale * mp.sqrt(2 * mp.pi)) - scale * tail
    assert heavy.value == pytest.approx(float(right), rel=1e-8)


def test_divergence_is_never_negative():
    for density in (stats.norm(), stats.gamma(2.5), stats.cauchy()):
        assert plogq.density_kl_divergence(density, density).value == 0
    assert plogq.density_kl_divergence(stats.norm(), stats.norm(1e-9)).value >= 0


def test_what_q_rules_out_is_infinite():
    p, q = stats.uniform(0, 2), stats.uniform(0, 1)
    assert plogq.density_kl_divergence(p, q).value == math.inf
    assert plogq.density_cross_entropy(stats.norm(), stats.expon()).value == math.inf


@pytest.mark.parametrize("tail", [1.0, 1.5, 2.0])
def test_divergent_integral_is_refused(tail):
    with pytest.raises(ValueError, match=r"p must give an integral that converges; got The "):
        plogq.density_cross_entropy(stats.t(tail), stats.norm())


def test_density_beyond_the_floats_is_refused():
    """Most of a gamma(0.01) lies below the least float, where its density is infinite."""
    with pytest.raises(ValueError, match=r"p must give an integral that converges; got -inf"):
        plogq.density_entropy(stats.gamma(0.01))


@pytest.mark.parametrize(
    "other", [stats.poisson(3), [0.5, 0.5], None], ids=["discrete", "list", "none"]
)
def test_what_has_no_density_is_refused(other):
    for call, name in (
        (lambda: plogq.density_entropy(other), "p"),
        (lambda: plogq.density_kl_divergence(stats.norm(), other), "q"),
        (lambda: plogq.density_cross_entropy(other, stats.norm()), "p"),
    ):
        with pytest.raises(
            TypeError, match=f"^{name} must be a continuous distribution with logpdf"
        ):
            call()


@pytest.mark.parametrize("density", [stats.norm(math.nan, 1), stats.norm([0.0, 1.0], 1)])
def test_many_distributions_or_none_are_refused(density):
    with pytest.raises(ValueError, match=r"^p must be one distribution with valid parameters"):
        plogq.density_entropy(density)
    with pytest.raises(ValueError, match=r"^q must be one distribution with valid parameters"):
        plogq.density_kl_divergence(stats.norm(), density)


def test_wrong_unit_is_refused():
    with pytest.raises(ValueError, match=r"^unit must be"):
        plogq.density_entropy(stats.norm(), unit="byte")


def test_normal_kl_beyond_the_range_of_its_parts():
    """(μ − m)² and 1/s² overflow, their product does not; the nearly equal keep their digits."""
    assert plogq.normal_kl([1e200], [0.0], [0.0], [900.0]) == pytest.approx(
        float(oracles.normal_kl(1e200, 0, 0, 900)), rel=1e-12
    )
    assert plogq.normal_kl([1.0], [-1600.0], [1.0], [-1600.0]) == 0
    tiny = plogq.normal_kl([1e-9], [2e-9])
    assert tiny == pytest.approx(float(oracles.normal_kl(1e-9, 2e-9)), rel=1e-15)


def test_normal_entropy_may_be_negative():
    assert plogq.normal_entropy([-10.0]) == pytest.approx(
        float(oracles.normal_entropy([-10])), rel=1e-15
    )
    assert np.shape(plogq.normal_entropy(np.zeros((3, 2)))) == (3,)
