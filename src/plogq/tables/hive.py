"""Columns that a folder's names hold, as Hive and Spark write them: label=1/part-0.parquet."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa

NOTHING = "__HIVE_DEFAULT_PARTITION__"
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")


def columns_of(path: str) -> dict[str, str | None]:
    """Return the columns that the folders on a path name, and their values; None is missing.

    Examples
    --------
    >>> columns_of("predictions/year=2026/label=no%20cat/part-0.parquet")
    {'year': '2026', 'label': 'no cat'}
    """
    pairs = [part.split("=", 1) for part in PurePosixPath(path).parts[:-1] if "=" in part[1:]]
    return {unquote(name): None if value == NOTHING else unquote(value) for name, value in pairs}


def column(value: str | None, rows: int, kind: pa.DataType | None) -> pa.Array:
    """Return a column of one value: of the kind asked for, or an integer if it looks like one."""
    if kind is None:
        kind = kind_of(value)
    return pa.repeat(pa.scalar(value, pa.string()).cast(kind), rows)


def kind_of(value: str | None) -> pa.DataType:
    """Return the type that a value looks like."""
    return pa.int64() if value is not None and INTEGER.fullmatch(value) else pa.string()
