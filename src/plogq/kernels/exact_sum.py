"""Sums of float64 that do not depend on the order or the split of their terms."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from plogq.formulas._check import refuse
from plogq.kernels import _native

_LIMBS = 8
_QUANTUM_BITS = 128


class ExactSums:
    """Exact sums of float64, one per group, in fixed point.

    A value v joins its sum as trunc(v · 2¹²⁸), an integer; integers add without rounding, so any
    order, any split into batches and any merge give the same bits. (A long accumulator: Kulisch,
    Computer Arithmetic and Validity, 2013.)

    Parameters
    ----------
    groups
        How many sums.

    Attributes
    ----------
    limbs : ndarray of int64, shape (groups, 8)
        The sums, in units of 2⁻¹²⁸: limb i counts 2³²ⁱ, limbs 0 to 6 are in [0, 2³²).

    Examples
    --------
    >>> sums = ExactSums()
    >>> sums.add([1e30, 1.0, -1e30])
    >>> sums.values()
    array([1.])
    """

    def __init__(self, groups: int = 1) -> None:
        if groups < 1:
            refuse("groups", "be at least 1", groups)
        self.limbs = np.zeros((groups, _LIMBS), np.int64)

    def add(self, values: npt.ArrayLike, group: npt.ArrayLike | None = None) -> None:
        """Add each value to the sum of its group, in place.

        Parameters
        ----------
        values
            Shape (n,), each finite and below 2¹²⁶ in size. What lies below 2⁻¹²⁸ is dropped.
        group
            Integers in [0, groups), shape (n,); None is group 0 for all.

        Raises
        ------
        ValueError
            A value or group at fault. Nothing is added then.

        Examples
        --------
        >>> sums = ExactSums(2)
        >>> sums.add([0.1, 0.2, 0.3], [0, 1, 0])
        >>> sums.values()
        array([0.4, 0.2])
        """
        terms = np.ascontiguousarray(values, np.float64)
        if terms.ndim != 1:
            refuse("values", "have one axis", f"shape {terms.shape}")
        index = None
        if group is not None:
            index = np.asarray(group)
            if index.shape != terms.shape or (index.dtype.kind not in "iu" and index.size):
                came = f"{index.dtype} of shape {index.shape}"
                refuse("group", f"be integers of shape {terms.shape}", came)
            index = np.ascontiguousarray(index, np.int64)
        bad = _native.add(self.limbs, terms, index)
        if bad < 0:
            return
        if not abs(terms[bad]) < 2.0**126:
            refuse("values", "be finite and below 2**126 in size", terms[bad], row=bad)
        assert index is not None
        refuse("group", f"be in [0, {len(self.limbs)})", index[bad], row=bad)

    def merge(self, other: Self) -> None:
        """Add the sums of another of as many groups, in place.

        Examples
        --------
        >>> left, right = ExactSums(), ExactSums()
        >>> left.add([0.5]); right.add([0.25]); left.merge(right)
        >>> left.values()
        array([0.75])
        """
        if other.limbs.shape != self.limbs.shape:
            refuse("other", f"have {len(self.limbs)} groups", len(other.limbs))
        self.limbs += other.limbs
        _native.carry(self.limbs)

    def values(self) -> npt.NDArray[np.float64]:
        """Return each sum, shape (groups,), rounded once, correctly.

        Examples
        --------
        >>> ExactSums(2).values()
        array([0., 0.])
        """
        weights = [1 << 32 * i for i in range(_LIMBS)]
        totals = (
            sum(w * limb for w, limb in zip(weights, row, strict=True))
            for row in self.limbs.tolist()
        )
        return np.array([total / (1 << _QUANTUM_BITS) for total in totals])
