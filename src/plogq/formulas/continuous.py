"""Densities: normals in closed form, any other by quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from plogq.errors import refuse
from plogq.formulas.arrays import (
    Array,
    classes_last,
    first_row,
    nan_unless,
    same_shape,
    shown,
    to_arrays,
)
from plogq.formulas.terms import normal_kl_terms
from plogq.formulas.units import Unit, from_nats


def normal_entropy(log_variance: Array, *, axis: int = -1, unit: Unit = "nat") -> Array:
    """Differential entropy of a diagonal normal: ½ Σ_i (log 2πe + log σ_i²), summed over `axis`.

    Negative for a narrow one: differential entropy is relative to the scale of x.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(normal_entropy(np.array([0.0]))), 6)
    1.418939

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, 2nd ed., theorem 8.4.1.
    """
    xp, v = to_arrays(log_variance=log_variance)
    v = classes_last(xp, v, axis, "log_variance")
    _finite(xp, log_variance=v)
    return from_nats(xp.sum((math.log(2 * math.pi) + 1 + v) / 2, axis=-1), unit)


def normal_kl(
    mean: Array,
    log_variance: Array,
    q_mean: Array | float = 0.0,
    q_log_variance: Array | float = 0.0,
    *,
    axis: int = -1,
    unit: Unit = "nat",
) -> Array:
    """D_KL(N(μ, σ²) ‖ N(m, s²)) of diagonal normals, summed over `axis`; the VAE's term by default.

    ½ Σ_i [ (μ_i − m_i)² / s_i² + σ_i²/s_i² − 1 − log(σ_i²/s_i²) ], given log-variances. Against the
    default N(0, 1) it is the regulariser of a variational autoencoder: summed over the latent
    dimensions, not averaged.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or something is NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(normal_kl(np.array([0.5]), np.array([-1.0]))), 6)
    0.30894

    References
    ----------
    Kingma, Welling (2013), Auto-encoding variational Bayes, appendix B.
    """
    xp, mu, v, m, w = to_arrays(
        mean=mean, log_variance=log_variance, q_mean=q_mean, q_log_variance=q_log_variance
    )
    _finite(xp, mean=mu, log_variance=v, q_mean=m, q_log_variance=w)
    shapes = [tuple(x.shape) for x in (mu, v, m, w)]
    try:
        mu, v, m, w = xp.broadcast_arrays(mu, v, m, w)
    except (ValueError, RuntimeError):
        refuse("log_variance", "broadcast with the mean, q_mean and q_log_variance", shapes)
    terms = normal_kl_terms(xp, mu, v, m, w)
    return from_nats(xp.sum(classes_last(xp, terms, axis, "mean"), axis=-1), unit)


def elbo(
    reconstruction_log_likelihood: Array,
    mean: Array,
    log_variance: Array,
    *,
    axis: int = -1,
    unit: Unit = "nat",
) -> Array:
    """Evidence lower bound of each example, shape (…): E_q[log p(x|z)] − D_KL(q(z|x) ‖ N(0, I)).

    With the code q = N(μ, σ²) of a variational autoencoder it is r − ½ Σ_i (μ_i² + σ_i² − 1 −
    log σ_i²), and never above the evidence log p(x): what is missing is D_KL(q(z|x) ‖ p(z|x)).
    Training maximises its mean over the examples.

    Parameters
    ----------
    reconstruction_log_likelihood : (…)
        r, in nats, one number for each example: log p(x|z) summed over all of x (pixels, tokens),
        and averaged over the draws of z, where there are several. A reconstruction loss is −r.
    mean, log_variance : (…, D)
        μ and log σ² of the code, its D dimensions along `axis`. With σ itself, give 2 log σ.
    unit
        Of what is returned.

    Raises
    ------
    ValueError
        If mean and log_variance differ in shape, r is not one number for each code, r is NaN or
        +inf, or a mean or log-variance is NaN or infinite. An r of −inf gives −inf.

    Notes
    -----
    The objective of a β-VAE is r − β · normal_kl(mean, log_variance), and no bound where β < 1.

    Examples
    --------
    >>> import numpy as np
    >>> mean, log_variance = np.array([[0.5], [0.0]]), np.array([[-1.0], [0.0]])
    >>> elbo(np.array([-2.0, -3.0]), mean, log_variance).round(4)
    array([-2.3089, -3.    ])

    References
    ----------
    Kingma, Welling (2014), Auto-encoding variational Bayes, equation 3 and appendix B.
    """
    name = "reconstruction_log_likelihood"
    xp, r, mu, v = to_arrays(
        **{name: reconstruction_log_likelihood}, mean=mean, log_variance=log_variance
    )
    same_shape(mu, v, ("mean", "log_variance"))
    codes = tuple(classes_last(xp, mu, axis, "mean").shape[:-1])
    if tuple(r.shape) != codes:
        refuse(name, f"be one number for each code, shape {codes}", f"shape {tuple(r.shape)}")
    possible = r < xp.inf
    row = first_row(xp, ~possible)
    if row is not None:
        refuse(name, "be finite, or -inf", shown(r, row), row=row)
    return from_nats(nan_unless(xp, possible, r) - normal_kl(mu, v, axis=axis), unit)


class Quadrature(NamedTuple):
    """An integral, and an estimate of its absolute error, in the same unit."""

    value: float
    error: float


class Density(Protocol):
    """The methods that a density needs; a frozen continuous one of scipy.stats has them."""

    def logpdf(self, x: float, /) -> Any:
        """Log-density."""

    def ppf(self, u: float, /) -> Any:
        """Quantile of u."""

    def isf(self, u: float, /) -> Any:
        """Quantile of 1 − u."""


def density_entropy(p: Density, *, unit: Unit = "nat") -> Quadrature:
    """h(p) = −∫ p(x) log p(x) dx by quadrature, with its error estimate (needs SciPy).

    Raises
    ------
    ValueError
        If the integral does not converge, or p is many distributions or none (NaN parameters).
    TypeError
        If p has no logpdf (a discrete distribution, say).

    Examples
    --------
    >>> from scipy import stats
    >>> round(density_entropy(stats.norm(30, 2.5)).value, 6)
    2.335229
    """
    return _expectation(p, lambda x: -float(p.logpdf(x)), unit, "p")


def density_cross_entropy(p: Density, q: Density, *, unit: Unit = "nat") -> Quadrature:
    """h(p, q) = −∫ p(x) log q(x) dx by quadrature; inf where q is 0 and p is not (needs SciPy).

    Raises as `density_entropy` does.

    Examples
    --------
    >>> from scipy import stats
    >>> round(density_cross_entropy(stats.norm(0, 1), stats.norm(1, 1)).value, 6)
    1.918939
    """
    _density(q, "q")
    return _expectation(p, lambda x: -float(q.logpdf(x)), unit, "p")


def density_kl_divergence(p: Density, q: Density, *, unit: Unit = "nat") -> Quadrature:
    """D_KL(p ‖ q) = ∫ p(x) log(p(x)/q(x)) dx by quadrature; inf where q is 0 and p is not.

    Raises as `density_entropy` does (needs SciPy).

    Examples
    --------
    >>> from scipy import stats
    >>> round(density_kl_divergence(stats.norm(0.5, 1), stats.norm(0, 1)).value, 6)
    0.125
    """
    _density(q, "q")
    kl = _expectation(p, lambda x: float(p.logpdf(x)) - float(q.logpdf(x)), unit, "p")
    return kl._replace(value=max(kl.value, 0.0))  # a value below 0 is the quadrature's error


def _expectation(p: Density, of: Callable[[float], float], unit: Unit, name: str) -> Quadrature:
    """E_p[of(x)] = ∫₀^½ of(ppf(u)) + of(isf(u)) du.

    An integral over quantiles misses no mass, however narrow or far off the density is. The
    logarithmic singularities at its ends are what QUADPACK's extrapolation is made for (Piessens
    et al. 1983).
    """
    _density(p, name)
    try:
        from scipy.integrate import quad
    except ImportError as missing:
        raise ImportError("densities need SciPy: pip install scipy") from missing
    value = bound = 0.0
    for quantile in (p.ppf, p.isf):
        half, error, _, *said = quad(
            lambda u, at=quantile: of(float(at(u))), 0, 0.5, limit=500, full_output=1
        )
        # A warning of rounding alone is not refused, since the error estimate includes it.
        if math.isnan(half) or half == -math.inf or (said and "roundoff" not in said[0]):
            came = " ".join(said[0].split()) if said else half
            refuse(name, "give an integral that converges", came)
        value, bound = value + half, bound + error
    return Quadrature(from_nats(value, unit), from_nats(bound, unit))


def _density(p: Any, name: str) -> None:
    if not all(hasattr(p, method) for method in ("logpdf", "ppf", "isf")):
        expected = "be a continuous distribution with logpdf, ppf and isf (scipy.stats has them)"
        refuse(name, expected, type(p).__name__, error=TypeError)
    median = np.asarray(p.ppf(0.5))
    if median.ndim or np.isnan(median):
        refuse(name, "be one distribution with valid parameters", f"the median {median}")


def _finite(xp: Any, **named: Array) -> None:
    for name, x in named.items():
        row = first_row(xp, ~xp.isfinite(x))
        if row is not None:
            refuse(name, "be finite", shown(x, row), row=row)
