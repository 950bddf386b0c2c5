"""The cost of symbols that are coded by how often they came before."""

from __future__ import annotations

import math

import numpy.typing as npt

from plogq.codes.sources import as_weights


def frequency_bits(counts: npt.ArrayLike) -> float:
    """Σ_t −log₂ (n_{y_t} + ½) / (t + C/2) = log₂ Γ(n + C/2) Γ(½)^C / (Γ(C/2) Π Γ(n_c + ½)).

    This is the cost of labels that are sent one by one, where each has the probability of its
    frequency so far (plus ½). No table of frequencies has to be sent first. The order does not
    matter.

    Parameters
    ----------
    counts
        n_c: how often each of the C classes occurs, shape (C,).

    Returns
    -------
    float
        The bits of all labels together.

    Examples
    --------
    >>> round(frequency_bits([2, 0]), 6)      # ½, then ¾
    1.415037
    >>> round(frequency_bits([900, 100]))     # n H and log₂(n)/2 for what was not known
    474

    References
    ----------
    Krichevsky, Trofimov (1981), The performance of universal encoding.
    """
    n = as_weights(counts, "counts")
    total, classes = float(n.sum()), len(n)
    nats = math.lgamma(total + classes / 2) - math.lgamma(classes / 2)
    nats -= math.fsum(math.lgamma(x + 0.5) - math.lgamma(0.5) for x in n.tolist())
    return nats / math.log(2)
