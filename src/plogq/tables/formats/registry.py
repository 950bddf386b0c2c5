"""Which format a file is of: the only list of endings."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import pyarrow as pa

from plogq.tables.formats.arrow import ArrowFile
from plogq.tables.formats.csv import CsvFile
from plogq.tables.formats.npz import Npz
from plogq.tables.formats.parquet import ParquetFile

TableFile = ParquetFile | CsvFile | ArrowFile | Npz

FORMATS: dict[str, type[TableFile]] = {
    ".parquet": ParquetFile,
    ".pq": ParquetFile,
    ".csv": CsvFile,
    ".csv.gz": CsvFile,
    ".arrow": ArrowFile,
    ".feather": ArrowFile,
    ".ipc": ArrowFile,
    ".npz": Npz,
}
WRITERS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    end: kind.write for end, kind in FORMATS.items() if kind.write is not None
}


def ending_of(path: str) -> str | None:
    """Return which of the known endings a path has, in lower case; None for none of them.

    Examples
    --------
    >>> ending_of("Held out.CSV.GZ"), ending_of("notes.txt")
    ('.csv.gz', None)
    """
    return next((end for end in FORMATS if path.lower().endswith(end)), None)
