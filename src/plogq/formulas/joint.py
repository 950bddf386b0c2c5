"""Two variables at once: joint and conditional entropy, mutual information, information gain."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from array_api_compat import device, is_array_api_obj

from plogq.errors import refuse
from plogq.formulas.arrays import (
    Array,
    classes_last,
    first_row,
    nan_unless,
    one_library,
    shown,
    to_arrays,
    unmasked,
)
from plogq.formulas.distributions import distributions
from plogq.formulas.information import entropy
from plogq.formulas.terms import kl_terms, log_ratio, neg_log_share
from plogq.formulas.units import Unit, from_nats


def joint_entropy(p: Array, *, unit: Unit = "nat") -> Array:
    """H(X, Y) = −Σ p(x, y) log p(x, y), for a table p of shape (…, X, Y).

    Raises
    ------
    ValueError
        If a table is negative or NaN somewhere, or does not sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> float(joint_entropy(np.full((2, 2), 0.25), unit="bit"))
    2.0

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, 2nd ed., section 2.2.
    """
    _, flat, _ = _table(p)
    return entropy(flat, unit=unit)


def conditional_entropy(p: Array, *, unit: Unit = "nat") -> Array:
    """H(Y | X) = Σ_x p(x) H(Y | X = x) = H(X, Y) − H(X), for a table p of shape (…, X, Y).

    For H(X | Y) give the transposed table. Raises as `joint_entropy` does.

    Examples
    --------
    >>> import numpy as np
    >>> float(conditional_entropy(np.array([[0.5, 0.0], [0.25, 0.25]]), unit="bit"))
    0.5

    References
    ----------
    Cover, Thomas (2006), section 2.2.
    """
    xp, _, table = _table(p)
    # −Σ p(x, y) log p(y | x): every term is ≥ 0, where the difference of entropies would cancel.
    return from_nats(xp.sum(table * neg_log_share(xp, table), axis=(-2, -1)), unit)


def mutual_information(p: Array, *, unit: Unit = "nat") -> Array:
    """I(X; Y) = D_KL(p(x, y) ‖ p(x) p(y)) = H(Y) − H(Y | X) ≥ 0, for p of shape (…, X, Y).

    Raises as `joint_entropy` does.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(mutual_information(np.array([[0.5, 0.0], [0.0, 0.5]]), unit="bit")), 6)
    1.0

    References
    ----------
    Cover, Thomas (2006), section 2.3.
    """
    xp, _, table = _table(p)
    return from_nats(_information(xp, table, 1.0), unit)


def entropy_of_counts(
    counts: Array, *, axis: int = -1, unit: Unit = "nat", miller_madow: bool = False
) -> Array:
    """H(n / N) of counts n with N = Σ n, the plug-in estimate of an entropy.

    It is too low by about (K − 1)/2N nats, where K is the number of outcomes seen;
    `miller_madow=True` adds that. The entropy of no counts at all is 0.

    Raises
    ------
    ValueError
        If a count is negative, infinite or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> float(entropy_of_counts(np.array([2, 1, 1]), unit="bit"))
    1.5
    >>> round(float(entropy_of_counts(np.array([2, 1, 1]), miller_madow=True, unit="bit")), 4)
    1.8607

    References
    ----------
    Miller (1955), Note on the bias of information estimates.
    """
    xp, n = _counts(counts)
    n = classes_last(xp, n, axis, "counts")
    total = xp.sum(n, axis=-1)
    some = xp.where(total > 0, total, 1.0)
    nats = xp.sum(n * neg_log_share(xp, n), axis=-1) / some
    if miller_madow:
        seen = xp.sum(xp.astype(n > 0, n.dtype), axis=-1)
        nats = nats + xp.where(seen > 0, seen - 1, 0.0) / (2 * some)
    return from_nats(nats, unit)


def information_gain_from_counts(counts: Array, *, unit: Unit = "nat") -> Array:
    """Gain of a split: H(Y) − Σ_b (N_b/N) H(Y | b), for counts of shape (…, branches, classes).

    The mutual information of branch and class, for any number of branches. Raises as
    `entropy_of_counts` does, and for a table of no counts.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(information_gain_from_counts(np.array([[4, 0], [0, 4]]), unit="bit")), 6)
    1.0

    References
    ----------
    Quinlan (1986), Induction of decision trees.
    """
    xp, n = _counts(counts)
    if n.ndim < 2:
        refuse("counts", "have shape (…, branches, classes)", f"shape {tuple(n.shape)}")
    total = xp.sum(n, axis=(-2, -1), keepdims=True)
    row = first_row(xp, total[..., 0, 0] == 0)
    if row is not None:
        refuse("counts", "hold at least one count", "none", row=row)
    return from_nats(_information(xp, n, total), unit)


def information_gain(labels: Array, branches: Array, *, unit: Unit = "nat") -> Array:
    """Gain of a decision tree's split, from each row's class label and the branch it takes.

    labels, branches: (N,) integers, strings or whatever `unique_inverse` of their library sorts.
    Not under `jax.jit`, where how many distinct ones there are is unknown.

    Raises
    ------
    ValueError
        If the two are not of one length, have more than one axis, or are empty.

    Examples
    --------
    >>> import numpy as np
    >>> wine, sweet = np.array([0, 0, 1, 1]), np.array([True, True, False, True])
    >>> round(float(information_gain(wine, sweet, unit="bit")), 4)
    0.3113
    """
    xp, y, b = _same_library(labels, branches)
    if y.ndim != 1 or y.shape != b.shape or y.shape[0] == 0:
        expected = f"be one for each label, shape {tuple(y.shape)}, and at least one"
        refuse("branches", expected, tuple(b.shape))
    # Counts as a product of indicators: (branches, N) @ (N, classes).
    return information_gain_from_counts(
        xp.matrix_transpose(_indicators(xp, b)) @ _indicators(xp, y), unit=unit
    )


def _same_library(labels: Array, branches: Array) -> tuple[ModuleType, Array, Array]:
    named = {"labels": labels, "branches": branches}
    given = (unmasked(name, x) for name, x in named.items())
    y, b = (x if is_array_api_obj(x) else np.asarray(x) for x in given)
    xp = one_library(labels=y, branches=b)
    for name, x in (("labels", y), ("branches", b)):
        row = first_row(xp, xp.isnan(x)) if xp.isdtype(x.dtype, "real floating") else None
        if row is not None:
            refuse(name, "be no NaN", "nan", row=row)
    return xp, y, b


def _indicators(xp: ModuleType, values: Array) -> Array:
    """Give, for each value (rows), which of the distinct ones (columns) it is."""
    distinct, code = xp.unique_inverse(values)
    index = xp.arange(distinct.shape[0], dtype=code.dtype, device=device(code))
    # float32 is exact only up to 2²⁴, and JAX has no wider dtype unless it is enabled.
    floats = xp.__array_namespace_info__().dtypes(kind="real floating")
    return xp.astype(xp.expand_dims(code, axis=1) == index, floats.get("float64", xp.float32))


def _table(p: Array) -> tuple[ModuleType, Array, Array]:
    """Give the namespace, the checked table flat along its last axis, and the table."""
    xp, table = to_arrays(p=p)
    if table.ndim < 2:
        refuse("p", "be a table of shape (…, X, Y)", f"shape {tuple(table.shape)}")
    flat = xp.reshape(table, (*table.shape[:-2], table.shape[-2] * table.shape[-1]))
    _, flat = distributions(-1, p=flat)
    return xp, flat, xp.reshape(flat, table.shape)


def _information(xp: ModuleType, n: Array, total: Array | float) -> Array:
    """Give D_KL(n/N ‖ rows/N · columns/N); N² is taken out, as products of counts are exact."""
    product = xp.sum(n, axis=-1, keepdims=True) * xp.sum(n, axis=-2, keepdims=True)
    terms = kl_terms(xp, total * n, product, log_ratio(xp, total * n, product))
    return xp.sum(terms / total**2, axis=(-2, -1))


def _counts(counts: Array) -> tuple[ModuleType, Array]:
    xp, n = to_arrays(counts=counts)
    counted = (n >= 0) & xp.isfinite(n)
    row = first_row(xp, ~counted)
    if row is not None:
        refuse("counts", "be finite and not negative", shown(n, row), row=row)
    return xp, nan_unless(xp, counted, n)
