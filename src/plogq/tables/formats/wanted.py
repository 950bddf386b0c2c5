"""What a reader is asked for."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

HEAD_ROWS = 1_000  # of a table, which a first look sees

Types = dict[str, pa.DataType]


class Wanted(NamedTuple):
    """The columns of a table, in batches.

    Attributes
    ----------
    columns
        Their names, in order.
    types
        The types to read columns as, where the format stores none.
    rows, size
        The most rows of a batch, and about the most bytes.
    pieces
        Which pieces of the file (row groups, batches); None for all.
    threads
        Whether several threads may decode, or the calling one alone.
    """

    columns: list[str]
    types: Types
    rows: int
    size: int
    pieces: range | None = None
    threads: bool = True
