"""Sums of float64 that do not depend on the order or the split of their terms."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.kernels import _native
from plogq.kernels import threads as machine

Integers = npt.NDArray[np.int64]

_LIMBS = 8
_QUANTUM_BITS = 128
_PARTS = 3
_MOST_PENDING = 1 << 17  # values whose parts add up within 63 bits
_MOST_IN_PARTS = 1 << 16  # groups: with more of them, joining the parts costs more than they save


class ExactSums:
    """Exact sums of float64, one per group, in fixed point.

    A value v joins its sum as trunc(v · 2¹²⁸), an integer; integers add without rounding, so any
    order, any split into batches and any merge give the same bits. (A long accumulator: Kulisch,
    Computer Arithmetic and Validity, 2013.)

    Parameters
    ----------
    groups
        The number of sums.

    Attributes
    ----------
    limbs : ndarray of int64, shape (groups, 8)
        The sums, in units of 2⁻¹²⁸: limb i counts 2³²ⁱ, limbs 0 to 6 are in [0, 2³²).

    Notes
    -----
    Values below 2⁹ are added as three integers of at most 46 bits, of which up to 2¹⁷ can be added
    before the parts must join the limbs.

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
        self.__setstate__(np.zeros((groups, _LIMBS), np.int64))

    def __getstate__(self) -> Integers:
        return self.limbs

    def __setstate__(self, limbs: Integers) -> None:
        groups = len(limbs)
        self._limbs = limbs
        self._parts = np.zeros((_PARTS, groups), np.int64) if groups <= _MOST_IN_PARTS else None
        self._pending = 0  # the most values that a group may have in its parts

    @property
    def limbs(self) -> Integers:
        """The sums of all values that have been added, shape (groups, 8)."""
        self._settle()
        return self._limbs

    @property
    def nbytes(self) -> int:
        """The memory of the sums, in bytes."""
        return self._limbs.nbytes + (0 if self._parts is None else self._parts.nbytes)

    def _settle(self) -> None:
        if self._pending and self._parts is not None:
            _native.settle(self._limbs, self._parts)
        self._pending = 0

    def parts_for(self, most: int) -> Integers:
        """Give the integers, (3, groups), that a kernel may add at most `most` values a group to.

        Examples
        --------
        >>> sums = ExactSums()
        >>> sums.parts_for(1)[0] += 3 << 35  # in units of 2⁻³⁶, 2⁻⁸² and 2⁻¹²⁸
        >>> sums.values()
        array([1.5])
        """
        if self._parts is None or most > _MOST_PENDING:
            expected = f"be at most {_MOST_PENDING} values, of at most {_MOST_IN_PARTS} groups"
            return refuse("most", expected, f"{most} of {len(self._limbs)}")
        if self._pending + most > _MOST_PENDING:
            self._settle()
        self._pending += most
        return self._parts

    def add(self, values: npt.ArrayLike, group: npt.ArrayLike | None = None) -> None:
        """Add each value to the sum of its group, in place.

        Parameters
        ----------
        values
            Shape (n,), each finite and below 2¹²⁶ in size. Digits below 2⁻¹²⁸ are dropped.
        group
            Integers in [0, groups), shape (n,); None is group 0 for all.

        Raises
        ------
        ValueError
            If a value or group is out of range. Nothing is added then.

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
        bad, self._pending = _native.add(
            self._limbs, self._parts, self._pending, terms, index, machine.INSTRUCTION_SET
        )
        if bad < 0:
            return
        if not abs(terms[bad]) < 2.0**126:
            refuse("values", "be finite and below 2**126 in size", terms[bad], row=bad)
        assert index is not None
        refuse("group", f"be in [0, {len(self.limbs)})", index[bad], row=bad)

    def merge(self, other: Self) -> None:
        """Add the sums of another with as many groups, in place.

        Examples
        --------
        >>> left, right = ExactSums(), ExactSums()
        >>> left.add([0.5]); right.add([0.25]); left.merge(right)
        >>> left.values()
        array([0.75])
        """
        if other.limbs.shape != self.limbs.shape:
            refuse("other", f"have {len(self.limbs)} groups", len(other.limbs))
        mine = self.limbs
        mine += other.limbs
        _native.carry(mine)

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
