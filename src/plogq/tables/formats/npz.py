"""An .npz archive: named arrays, streamed side by side; nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError
from plogq.tables.formats.arrays import (
    Head,
    Raw,
    Shape,
    as_rows,
    column,
    likely_rows,
    notes_of,
    record_batch,
    row_count,
    rows_that_count,
    rows_that_fit,
    schema_of,
)
from plogq.tables.formats.packed import unzipping
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Wanted


class Npz:
    """An .npz, its arrays streamed side by side out of the archive."""

    format = "NPZ"
    text = TextOptions()  # they do not apply
    writer = None  # it holds no names
    note = " (objects would have to be unpickled, which can run code)"

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        with self._open() as archive:
            heads = {
                name.removesuffix(".npy"): self._head(archive.open(name), name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
        self._heads = as_rows(heads)
        self.schema = schema_of(self._heads)
        self.rows = likely_rows(self._heads)
        self._kept = rows_that_count(self.path, self._heads, self._whole)
        self.masked = self._kept is not None
        self.notes = notes_of(self._heads)

    def pieces(self, column: str) -> list[int]:
        """Count the rows: one piece, since the checksum of an array is of all its bytes."""
        shape = self._heads[column].rows
        assert shape is not None  # a column that is read has rows
        return [shape[0]]

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        with unzipping(), zipfile.ZipFile(self.system.open_input_file(self.path)) as archive:
            yield archive

    def _head(self, file: IO[bytes], name: str) -> Head:
        """Return an array's header, after which the file stands at the first number."""
        try:
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran, dtype = read(file)
        except (ValueError, KeyError) as error:
            raise TableError(f"{self.path}: {name} is not a NumPy array: {error}") from error
        return Head(dtype, shape, fortran)

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield slices of the arrays."""
        length = row_count(self.path, self._heads, wanted.columns, self.note)
        step = rows_that_fit(self.schema, wanted)
        with self._open() as archive:
            files = {name: archive.open(f"{name}.npy") for name in wanted.columns}
            for name, file in files.items():
                self._head(file, name)
            # An array that lies column by column has no whole row before its end: it is read whole.
            whole = {name: self._read_all(files[name], name) for name in wanted.columns
                     if self._heads[name].fortran}  # fmt: skip
            for first in range(0, length, step):
                n = min(step, length - first)
                arrays = {
                    name: whole[name][first : first + n]
                    if name in whole
                    else self._read(files[name], name, n)
                    for name in wanted.columns
                }
                columns = {name: column(array) for name, array in arrays.items()}
                yield record_batch(columns, self._kept, first)

    def _whole(self, name: str) -> Raw:
        """Return one array, as it was saved."""
        head = self._heads[name]
        with self._open() as archive:
            file = archive.open(f"{name}.npy")
            self._head(file, name)
            if head.fortran:
                return self._read_all(file, name)
            return self._numbers(file, name, head.shape)

    def _read(self, file: IO[bytes], name: str, rows: int) -> Raw:
        """Return the next rows of an array."""
        shape = self._heads[name].rows
        assert shape is not None
        return self._numbers(file, name, (rows, *shape[1:]))

    def _read_all(self, file: IO[bytes], name: str) -> Raw:
        """Return an array in Fortran order, as rows."""
        head = self._heads[name]
        assert head.rows is not None
        return self._numbers(file, name, head.shape[::-1]).T.reshape(head.rows)

    def _numbers(self, file: IO[bytes], name: str, shape: Shape) -> Raw:
        dtype = self._heads[name].dtype
        wanted = math.prod(shape) * dtype.itemsize
        data = file.read(wanted)
        if len(data) < wanted:
            raise EOFError(f"array {name!r} ends early")
        return np.frombuffer(data, dtype).reshape(shape)
