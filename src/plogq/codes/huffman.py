"""The shortest codes: Huffman's, and the best one whose words are no longer than a limit."""

from __future__ import annotations

from operator import index

import numpy as np
import numpy.typing as npt

from plogq.codes.sources import Floats, as_base, as_weights
from plogq.codes.word_lengths import Lengths
from plogq.errors import refuse
from plogq.kernels import prefix_code as kernel

MOST_BLOCKS = 1 << 24


def huffman_lengths(
    weights: npt.ArrayLike, *, base: int = 2, longest: int | None = None
) -> Lengths:
    """ℓ that minimise Σ w_i ℓ_i over all uniquely decodable codes.

    For probabilities, H ≤ L < H + 1. Ties have a rule: of equal weights, a symbol is merged before
    a merged node, and a later symbol before an earlier one. So the lengths are as even as they can
    be, and of equal weights the earlier symbol never has the longer word.

    Parameters
    ----------
    weights
        w ≥ 0, shape (n,): probabilities or counts. A weight of 0 is a symbol like any other.
    base
        D, how many digits there are.
    longest
        The limit of a word's length; the result is the best code within it.

    Returns
    -------
    ndarray of int64, shape (n,)
        In digits. A single symbol has length 1.

    Raises
    ------
    ValueError
        If a weight is out of range, or `longest` leaves room for fewer than n words.

    Examples
    --------
    >>> huffman_lengths([0.25, 0.5, 0.13, 0.12])
    array([2, 1, 3, 3])
    >>> huffman_lengths([1, 1, 2, 3, 5, 8], longest=3)
    array([3, 3, 3, 3, 2, 2])
    >>> huffman_lengths([0.25, 0.5, 0.13, 0.12], base=3)
    array([1, 1, 2, 2])

    References
    ----------
    Huffman (1952), A method for the construction of minimum-redundancy codes; van Leeuwen (1976),
    On the construction of Huffman trees; Larmore, Hirschberg (1990), A fast algorithm for optimal
    length-limited Huffman codes (package-merge).
    """
    base, w = as_base(base), as_weights(weights, "weights")
    n = len(w)
    if longest is not None and (index(longest) < 1 or base ** min(longest, 64) < n):
        refuse("longest", f"leave room for {n} words", longest)
    lengths = np.ones(n, np.int64)
    if n < 2:
        return lengths
    order = np.lexsort((-np.arange(n), w))  # ascending; of equals, the later symbol first
    ascending = np.empty(n, np.int64)
    kernel.huffman_lengths(w[order], min(base, n), ascending)
    if longest is not None and ascending.max() > longest:
        ascending = _package_merge(w[order], base, longest)
    lengths[order] = ascending
    return lengths


def _package_merge(ascending: Floats, base: int, longest: int) -> Lengths:
    """Give the lengths by Larmore and Hirschberg's package-merge, for any base.

    A symbol of length ℓ holds a coin of its weight on each level 1 to ℓ; a full tree of n leaves
    takes coins that are worth (n − 1)/(D − 1), where a coin on level i is worth D⁻ⁱ. The cheapest
    D coins of a level are packed into one of the level above, which finds the cheapest collection.
    """
    dummies = -(len(ascending) - 1) % (base - 1)  # symbols of no weight that make the tree full
    leaves = np.concatenate([np.zeros(dummies), ascending])
    is_leaf = []  # a mask for each level, the deepest first; its items stand from the cheapest
    items = leaves
    for level in range(longest):
        if level:
            packs = items[: len(items) // base * base].reshape(-1, base).sum(axis=1)
            items = np.concatenate([leaves, packs])
        order = np.argsort(items, kind="stable")  # leaves first among equals
        items = items[order]
        is_leaf.append(order < len(leaves))
    lengths = np.zeros(len(leaves), np.int64)
    take = base * (len(leaves) - 1) // (base - 1)
    for flags in reversed(is_leaf):
        taken = int(np.count_nonzero(flags[:take]))
        lengths[:taken] += 1
        take = base * (take - taken)
    return lengths[dummies:]


def blocks(p: npt.ArrayLike, k: int) -> Floats:
    """Give the probabilities of k symbols in a row, shape (n^k,), the last symbol fastest.

    A Huffman code of blocks costs H ≤ L/k < H + 1/k per symbol, which approaches the entropy as k
    grows.

    Examples
    --------
    >>> p = [0.9, 0.1]
    >>> for k in (1, 2, 3):
    ...     print(round(float(blocks(p, k) @ huffman_lengths(blocks(p, k))) / k, 4))
    1.0
    0.645
    0.5327
    >>> import plogq
    >>> round(float(plogq.entropy(np.array(p), unit="bit")), 4)
    0.469

    References
    ----------
    Shannon (1948), theorem 9; Cover, Thomas (2006), section 5.4.
    """
    x = as_weights(p, "p")
    if k < 1 or len(x) ** k > MOST_BLOCKS:
        refuse("k", f"be at least 1, with at most {MOST_BLOCKS:,} blocks", k)
    product = x
    for _ in range(k - 1):
        product = np.multiply.outer(product, x).reshape(-1)
    return product
