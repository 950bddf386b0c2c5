"""Where a table lies: this machine, or any filesystem that pyarrow or fsspec knows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from pyarrow import fs

from plogq.errors import TableError
from plogq.extras import needed_by

# What pyarrow reads by itself, which is faster; of all other schemes, fsspec has the list.
OF_PYARROW = ("file", "s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")


def find_filesystem(source: str) -> tuple[fs.FileSystem, str]:
    """Return the filesystem of a path or URI, and the path in it.

    Raises
    ------
    TableError
        Its scheme is unknown, or the package for it is not installed.

    Examples
    --------
    >>> find_filesystem("predictions.parquet")[1]
    'predictions.parquet'
    """
    # "zip://a.csv::file:///b.zip" is fsspec's way to name a file inside another.
    first, chained, _ = source.partition("::")
    scheme, is_uri, _ = first.partition("://")
    if not (is_uri or chained) or Path(source).exists():
        return fs.LocalFileSystem(), source
    if is_uri and not chained and scheme in OF_PYARROW:
        system, path = fs.FileSystem.from_uri(source)
        return system, path
    return _of_fsspec(source, scheme if is_uri else first)


def _of_fsspec(source: str, scheme: str) -> tuple[fs.FileSystem, str]:
    with needed_by(f"{source}: {scheme}://"):
        fsspec: Any = import_module("fsspec")
    if scheme not in fsspec.available_protocols():
        if "://" not in source:
            return fs.LocalFileSystem(), source  # a file with :: in its name
        known = ", ".join(sorted({*OF_PYARROW, *fsspec.available_protocols()}))
        raise TableError(f"{source}: no filesystem of the name {scheme!r}; there are {known}")
    try:
        system, path = fsspec.core.url_to_fs(source)
    except ImportError as error:  # it says which package to install
        raise TableError(f"{source}: cannot be reached: {error}") from error
    except OSError:
        raise
    except Exception as error:  # each filesystem has exceptions of its own
        raise TableError(f"{source}: not a URI that fsspec can follow: {error}") from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path
