"""Where a demo writes its table: never over a file that is not its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from plogq.errors import TableError, refuse
from plogq.files import check_folder


def own_table(path: Path, columns: Sequence[str]) -> Path:
    """Return the path, after checking that nothing but an earlier demo's table is there.

    Raises
    ------
    TableError
        A file with other columns than these is there.
    OSError
        The folder can neither be written to nor made.
    """
    check_folder(path.parent)
    if path.exists():
        try:
            found = pq.read_schema(path).names
        except (pa.ArrowException, OSError):
            found = []
        if found != list(columns):
            came = "a file that is none of its own: give it another --folder"
            refuse(str(path), "be free, or an earlier demo's", came, error=TableError)
    return path
