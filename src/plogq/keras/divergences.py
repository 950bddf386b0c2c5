"""Divergences between distributions, by Keras's names: one for each row, in nats."""

from __future__ import annotations

from typing import Any

from plogq.keras import probabilities
from plogq.keras.arguments import Found, by_row, check_eps, with_distributions
from plogq.keras.namespace import xp


@by_row
def kl_divergence(
    y_true: Any, y_pred: Any, axis: int = -1, *, mask: Any = None, eps: float = 0.0
) -> Found:
    """D_KL(t ‖ p) = Σ_j t_j log(t_j / p_j) of each row of distributions t and p, never negative.

    Parameters
    ----------
    y_true, y_pred : (…, C, …)
        t and p.
    axis
        Of the outcomes.
    mask
        bool, in the shape of the rows: a row that is False is left out.
    eps
        A floor of p, named by the caller. With 0, what is possible and has p = 0 costs inf.

    Returns
    -------
    Tensor
        One divergence for each row, float32 or float64.

    Raises
    ------
    ValueError, TypeError
        A row that is no distribution; shapes that differ. While TensorFlow or JAX traces, the
        divergence of such a row is NaN.

    Notes
    -----
    Differs from Keras: neither t nor p is clipped.

    Examples
    --------
    >>> import numpy as np
    >>> t, p = np.array([[0.6, 0.3, 0.1]]), np.array([[0.33, 0.33, 0.34]])
    >>> print(f"{float(kl_divergence(t, p)[0]):.4f}")
    0.2077
    """
    eps = check_eps(eps)
    rows = with_distributions(y_true, y_pred, axis, mask)
    rows = probabilities.checked_probabilities(rows)
    found = probabilities.kl_divergence(rows.target, probabilities.floored(rows.x, eps))
    if rows.keep is not None:
        found = xp.where(rows.keep, found, 0.0)
    return Found(rows.sounded(found), rows.keep)
