"""Sums over the rows of a table of predictions, in the same pass that gives their figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.kernels import _native, arguments
from plogq.kernels import threads as machine
from plogq.kernels.exact_sum import ExactSums
from plogq.kernels.row_figures import Floats, native_logits

__all__ = ["MOST_CLASSES", "Counts", "SummedRows", "Sums", "sum_rows"]

MOST_CLASSES = 64

Integers = npt.NDArray[np.int64]


class Counts(NamedTuple):
    """The number of rows of each kind, int64, for K classes."""

    bucket: Integers  # (B,)
    label: Integers  # (B K,), at bucket K + label
    cell: Integers  # (K K,), at label K + predicted
    confidence: Integers  # (bins,), bin i for confidences in (i, i + 1] / bins
    surprisal: Integers  # (bins + 2,), the last two for finite ones beyond the bins and for inf


class Sums(NamedTuple):
    """Sums over the rows of each group; the groups are those of `Counts`."""

    surprisal: ExactSums  # by bucket
    entropy: ExactSums  # by bucket
    brier: ExactSums  # by bucket
    correct: ExactSums  # by bucket
    cell_surprisal: ExactSums  # by cell
    confidence: ExactSums  # by bin of confidence
    confidence_correct: ExactSums  # by bin of confidence


class SummedRows(NamedTuple):
    """What is kept of N rows after they have been added."""

    surprisal: npt.NDArray[np.float64]  # (N,) nats
    apart: Integers  # the rows whose surprisal is 512 or more, which is in no sum


def sum_rows(
    logits: Floats | tuple[Floats, ...],
    target: Integers,
    bucket: Integers,
    counts: Counts,
    sums: Sums,
    *,
    surprisal_width: float,
    most_in_bucket: int,
) -> SummedRows:
    """Add the figures of rows, as plogq.kernels.row_figures.row_figures computes them, in place.

    Parameters
    ----------
    logits, target
        As for `row_figures`, with at most 64 classes and 2¹⁷ rows.
    bucket
        The group of each row, shape (N,), integers in [0, B).
    counts, sums
        Receive the rows.
    surprisal_width
        The width of a bin of surprisal, in nats.
    most_in_bucket
        The most of these rows that a bucket has.

    Raises
    ------
    ValueError, TypeError
        As `row_figures`. The contents of counts and sums are undefined then.

    Examples
    --------
    >>> counts = Counts(*(np.zeros(n, np.int64) for n in (1, 2, 4, 10, 130)))
    >>> sums = Sums(*(ExactSums(n) for n in (1, 1, 1, 1, 4, 10, 10)))
    >>> x, y, bucket = np.array([[0.0, 0.0], [0.0, -9.0]]), np.array([1, 0]), np.array([0, 0])
    >>> sum_rows(x, y, bucket, counts, sums, surprisal_width=1.0, most_in_bucket=2).apart
    array([], dtype=int64)
    >>> sums.surprisal.values(), counts.cell
    (array([0.69327058]), array([1, 0, 1, 0]))
    """
    given = native_logits(logits, target)
    n = len(given.target)
    surprisal = np.empty(n)
    apart = np.empty(n, np.int64)
    run = _native.float_fold if given.dtype == np.float32 else _native.double_fold
    most = [most_in_bucket] * 4 + [n] * 3
    parts = [each.parts_for(most) for each, most in zip(sums, most, strict=True)]
    bad, found = run(
        given.columns,
        given.matrix,
        given.target,
        bucket,
        list(counts),
        parts,
        surprisal_width,
        surprisal,
        apart,
        machine.INSTRUCTION_SET,
    )
    if bad >= 0 and not 0 <= bucket[bad] < len(counts.bucket):
        refuse("bucket", f"be in [0, {len(counts.bucket)})", int(bucket[bad]), row=bad)
    if bad >= 0:
        arguments.refuse_row_of_logits(np.max(given.row(bad)), bad)
    return SummedRows(surprisal, apart[:found])
