"""The cost of a code on a source, in its parts: entropy, wrong model, rounding."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from plogq import formulas
from plogq.codes.kraft import kraft_sum
from plogq.codes.sources import Floats, as_base, as_lengths, as_weights
from plogq.errors import refuse


class Cost(NamedTuple):
    """L = Σ q_i ℓ_i = H(q) + D_KL(q ‖ p) + rounding, in digits per symbol.

    Attributes
    ----------
    expected_length
        L.
    entropy
        H(q): the cost of the best code for the source.
    kl
        D_KL(q ‖ p): the extra cost because the code was made for p. inf where p = 0 < q.
    rounding
        Σ q_i (ℓ_i + log p_i): the extra cost because words have whole digits. −inf where p = 0 < q.
    entropy_terms, kl_terms, rounding_terms
        −q_i log q_i, q_i log(q_i / p_i), q_i (ℓ_i + log p_i): shape (n,), they add up to q_i ℓ_i.
    """

    expected_length: float
    entropy: float
    kl: float
    rounding: float
    entropy_terms: Floats
    kl_terms: Floats
    rounding_terms: Floats

    @property
    def redundancy(self) -> float:
        """L − H(q): the most that a better code could save."""
        return self.expected_length - self.entropy


def code_cost(
    lengths: npt.ArrayLike,
    source: npt.ArrayLike,
    design: npt.ArrayLike | None = None,
    *,
    base: int = 2,
) -> Cost:
    """Split the cost of words of these lengths on a source into its parts.

    Parameters
    ----------
    lengths
        ℓ, shape (n,).
    source
        q, the probabilities of the symbols, shape (n,).
    design
        p, the source for which the code was made, shape (n,). By default it is taken from the
        lengths: p = D^(−ℓ) / K with the Kraft sum K, and the rounding is −log K.
    base
        D, the number of digits; costs are in digits, which are bits for D = 2.

    Raises
    ------
    ValueError
        If q or p is no distribution, or has another shape than ℓ.

    Examples
    --------
    A code made for p sends q: it costs H(q) + KL(q ‖ p), and the rounding of its words.

    >>> p, q = [0.25, 0.5, 0.13, 0.12], [0.13, 0.25, 0.5, 0.12]
    >>> cost = code_cost([2, 1, 3, 3], q, p)
    >>> [round(x, 4) for x in (cost.expected_length, cost.entropy, cost.kl, cost.rounding)]
    [2.37, 1.7497, 0.5991, 0.0212]

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, 2nd ed., theorems 5.3.1 and 5.4.3.
    """
    base, own = as_base(base), as_lengths(lengths)
    q = as_weights(source, "source")
    if q.shape != own.shape:
        refuse("source", f"have shape {own.shape}", q.shape)
    unit = math.log(base)
    if design is None:
        ideal = own * unit + math.log(kraft_sum(own, base=base))
        p = np.exp(-ideal)
    else:
        p = as_weights(design, "design")
        if p.shape != own.shape:
            refuse("design", f"have shape {own.shape}", p.shape)
        ideal = formulas.surprisal(p)
    entropy = float(formulas.entropy(q)) / unit
    kl = float(formulas.kl_divergence(q, p)) / unit
    seen = q > 0
    best = formulas.surprisal(q)

    def terms(values: Floats) -> Floats:  # 0 · inf = 0
        out = np.zeros(len(q))
        out[seen] = q[seen] * values[seen]
        return out

    with np.errstate(invalid="ignore"):  # inf − inf where q = 0 = p, which is not used
        kl_terms, rounding_terms = terms((ideal - best) / unit), terms(own - ideal / unit)
    return Cost(
        expected_length=math.fsum(terms(own.astype(np.float64))),
        entropy=entropy,
        kl=kl,
        rounding=math.fsum(rounding_terms),
        entropy_terms=terms(best / unit),
        kl_terms=kl_terms,
        rounding_terms=rounding_terms,
    )
