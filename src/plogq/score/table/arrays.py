"""Named arrays, in memory or in an .npz, as a table: a matrix is a list column."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse

Types = dict[str, pa.DataType]


class Head(NamedTuple):
    """What an array is, before it is read."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False

    def type(self) -> pa.DataType:
        """Give the column type; null for what can be no column, refused only when it is read."""
        if len(self.shape) not in (1, 2):
            return pa.null()
        try:
            item = pa.from_numpy_dtype(self.dtype.newbyteorder("="))
        except pa.ArrowNotImplementedError:
            return pa.null()
        return item if len(self.shape) == 1 else pa.list_(item, self.shape[1])


def _schema(heads: dict[str, Head]) -> pa.Schema:
    return pa.schema([(name, head.type()) for name, head in heads.items()])


def _rows(path: str, heads: dict[str, Head], columns: list[str], note: str = "") -> int:
    """Give the length of the arrays to read, after checking them; any others may be anything."""
    for name in columns:
        dtype, shape, fortran = heads[name]
        where = f"{path}: array {name!r}"
        if heads[name].type() == pa.null() and len(shape) in (1, 2):
            refuse(
                where, f"hold plain numbers or strings{note}", f"dtype {dtype}", error=TableError
            )
        if len(shape) not in (1, 2):
            refuse(where, "have shape (rows,) or (rows, classes)", shape, error=TableError)
        if fortran and min(shape) > 1:
            expected = "be in C order, so that its rows can be streamed (np.ascontiguousarray)"
            refuse(where, expected, "Fortran order", error=TableError)
    lengths = {name: heads[name].shape[0] for name in columns}
    if len(set(lengths.values())) > 1:
        refuse(path, "hold arrays of one length", lengths, error=TableError)
    return next(iter(lengths.values()))


def _likely_rows(heads: dict[str, Head]) -> int | None:
    """Give how many rows there are if all arrays agree on it."""
    lengths = {head.shape[:1] for head in heads.values()}
    return next(iter(lengths.pop()), None) if len(lengths) == 1 else None


def _column(array: np.ndarray[Any, Any]) -> pa.Array:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if native.ndim == 1:
        return pa.array(native)
    flat = pa.array(np.ascontiguousarray(native).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, native.shape[1])


def _rows_that_fit(schema: pa.Schema, columns: list[str], rows: int, size: int) -> int:
    width = [schema.field(name).type for name in columns]
    each = sum(8 * (t.list_size if pa.types.is_fixed_size_list(t) else 1) for t in width)
    return max(1, min(rows, size // max(1, each)))


class Arrays:
    """A mapping of arrays: {"logits": (rows, classes), "labels": (rows,)}."""

    format = "arrays"
    path = "arrays"

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = {name: _strings(np.asarray(array)) for name, array in arrays.items()}
        self._heads = {name: Head(a.dtype, a.shape) for name, a in self._arrays.items()}
        self.schema = _schema(self._heads)
        self.rows = _likely_rows(self._heads)

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give slices of the arrays."""
        length = _rows(self.path, self._heads, columns)
        step = _rows_that_fit(self.schema, columns, rows, size)
        for first in range(0, length, step):
            slices = [_column(self._arrays[name][first : first + step]) for name in columns]
            yield pa.record_batch(slices, names=columns)


def _strings(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give an array of str objects, as pandas has them, as NumPy's own."""
    if array.dtype == object and array.size and all(isinstance(x, str) for x in array.flat):
        return array.astype(str)
    return array


class Npz:
    """An .npz, its arrays streamed side by side out of the archive."""

    format = "NPZ"
    note = " (objects would have to be unpickled, which can run code)"

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        with self._open() as archive:
            self._heads = {
                name.removesuffix(".npy"): self._head(archive.open(name), name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
        self.schema = _schema(self._heads)
        self.rows = _likely_rows(self._heads)

    def pieces(self, column: str) -> list[int]:
        """Count the rows: one piece, for the checksum of an array is that of all of it."""
        return [self._heads[column].shape[0]]

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.system.open_input_file(self.path)) as archive:
                yield archive
        # RuntimeError: it is encrypted, or compressed in a way that Python does not know
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise OSError(str(error) or "it is cut short") from error

    def _head(self, file: IO[bytes], name: str) -> Head:
        """Read an array's header, which leaves the file at its first number."""
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

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give slices of the arrays."""
        length = _rows(self.path, self._heads, columns, self.note)
        step = _rows_that_fit(self.schema, columns, rows, size)
        with self._open() as archive:
            files = {name: archive.open(f"{name}.npy") for name in columns}
            for name, file in files.items():
                self._head(file, name)
            for first in range(0, length, step):
                n = min(step, length - first)
                yield pa.record_batch(
                    [_column(self._read(files[name], name, n)) for name in columns], names=columns
                )

    def _read(self, file: IO[bytes], name: str, rows: int) -> np.ndarray[Any, Any]:
        dtype, kind = self._heads[name].dtype, self.schema.field(name).type
        shape = (rows, kind.list_size) if pa.types.is_fixed_size_list(kind) else (rows,)
        wanted = int(np.prod(shape)) * dtype.itemsize
        data = file.read(wanted)
        if len(data) < wanted:
            raise EOFError(f"array {name!r} ends early")
        return np.frombuffer(data, dtype).reshape(shape)
