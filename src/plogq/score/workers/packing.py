"""A state as it is sent between processes: without the groups that have no rows.

A run of rows has few of a million pairs of classes, and a state is mostly zeros until very many
rows have been added. Wherever this module is imported, states are pickled so.
"""

from __future__ import annotations

import copyreg
from typing import Any, NamedTuple

import numpy as np

from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array
from plogq.tables.sums.tally import Tally

SMALL = 1 << 16  # bytes of an array that is not worth packing


class Sparse(NamedTuple):
    """An array, held as those of its rows that are not 0."""

    shape: tuple[int, ...]
    used: Array
    rows: Array


def _packed(value: Any) -> Any:
    """Return a large array of integers as its rows that are not 0, where those are few."""
    if not (isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.nbytes > SMALL):
        return value
    used = np.flatnonzero(value.any(axis=tuple(range(1, value.ndim))))
    return Sparse(value.shape, used, value[used]) if 2 * len(used) < len(value) else value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, Sparse):
        return value
    array: Array = np.zeros(value.shape, value.rows.dtype)
    array[value.used] = value.rows
    return array


def _reduce_sums(sums: ExactSums) -> tuple[Any, ...]:
    return _restore_sums, (_packed(sums.limbs),)


def _restore_sums(limbs: Any) -> ExactSums:
    sums = ExactSums.__new__(ExactSums)
    sums.__setstate__(_unpacked(limbs))
    return sums


def _reduce_tally(tally: Tally) -> tuple[Any, ...]:
    return _restore_tally, ({name: _packed(value) for name, value in vars(tally).items()},)


def _restore_tally(values: dict[str, Any]) -> Tally:
    tally = Tally.__new__(Tally)
    vars(tally).update({name: _unpacked(value) for name, value in values.items()})
    return tally


copyreg.pickle(ExactSums, _reduce_sums)
copyreg.pickle(Tally, _reduce_tally)
