"""Named arrays, in memory or in an .npz, as a table: a matrix is a list column."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import fs

from plogq.formulas._check import refuse
from plogq.score.errors import TableError

Types = dict[str, pa.DataType]


def _type(path: str, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> pa.DataType:
    """Give the column type of an array, or refuse it."""
    if dtype.hasobject:
        refuse(
            f"{path}: array {name!r}",
            "hold plain numbers or strings (objects would have to "
            "be unpickled, which can run code)",
            dtype,
            error=TableError,
        )
    if len(shape) not in (1, 2):
        refuse(
            f"{path}: array {name!r}",
            "have shape (rows,) or (rows, classes)",
            shape,
            error=TableError,
        )
    item = pa.string() if dtype.kind == "U" else pa.from_numpy_dtype(dtype.newbyteorder("="))
    return item if len(shape) == 1 else pa.list_(item, shape[1])


def _column(array: np.ndarray[Any, Any]) -> pa.Array:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if native.ndim == 1:
        return pa.array(native)
    flat = pa.array(np.ascontiguousarray(native).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, native.shape[1])


def _same_length(path: str, shapes: dict[str, tuple[int, ...]]) -> int:
    lengths = {name: shape[0] for name, shape in shapes.items()}
    if len(set(lengths.values())) > 1:
        refuse(path, "hold arrays of one length", lengths, error=TableError)
    return next(iter(lengths.values()), 0)


def _rows_that_fit(schema: pa.Schema, columns: list[str], rows: int, size: int) -> int:
    width = [schema.field(name).type for name in columns]
    each = sum(8 * (t.list_size if pa.types.is_fixed_size_list(t) else 1) for t in width)
    return max(1, min(rows, size // max(1, each)))


class Arrays:
    """A mapping of arrays: {"logits": (rows, classes), "labels": (rows,)}."""

    format = "arrays"
    path = "arrays"

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self.schema = pa.schema(
            [(name, _type(self.path, name, a.dtype, a.shape)) for name, a in self._arrays.items()]
        )
        self.rows: int | None = _same_length(
            self.path, {name: a.shape for name, a in self._arrays.items()}
        )

    def batches(
        self, columns: list[str], types: Types, rows: int, size: int
    ) -> Iterator[pa.RecordBatch]:
        """Give slices of the arrays."""
        step = _rows_that_fit(self.schema, columns, rows, size)
        for first in range(0, self.rows or 0, step):
            slices = [_column(self._arrays[name][first : first + step]) for name in columns]
            yield pa.record_batch(slices, names=columns)


class Npz:
    """An .npz, its arrays streamed side by side out of the archive."""

    format = "NPZ"

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self._system = system
        with self._open() as archive:
            heads = {
                name.removesuffix(".npy"): self._head(archive.open(name), name)
                for name in archive.namelist()
            }
        self.schema = pa.schema(
            [(name, _type(path, name, dtype, shape)) for name, (dtype, shape) in heads.items()]
        )
        self.rows: int | None = _same_length(path, {name: head[1] for name, head in heads.items()})
        self._dtypes = {name: dtype for name, (dtype, _) in heads.items()}

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._system.open_input_file(self.path))
        except zipfile.BadZipFile as error:
            raise OSError(str(error)) from error

    def _head(self, file: IO[bytes], name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
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
        if fortran and len(shape) > 1 and min(shape) > 1:
            refuse(
                f"{self.path}: array {name.removesuffix('.npy')!r}",
                "be in C order, so that its rows can be streamed (np.ascontiguousarray)",
                "Fortran order",
                error=TableError,
            )
        return dtype, shape

    def batches(
        self, columns: list[str], types: Types, rows: int, size: int
    ) -> Iterator[pa.RecordBatch]:
        """Give slices of the arrays."""
        step = _rows_that_fit(self.schema, columns, rows, size)
        with self._open() as archive:
            files = {name: archive.open(f"{name}.npy") for name in columns}
            for name, file in files.items():
                self._head(file, name)
            for first in range(0, self.rows or 0, step):
                n = min(step, (self.rows or 0) - first)
                yield pa.record_batch(
                    [_column(self._read(files[name], name, n)) for name in columns], names=columns
                )

    def _read(self, file: IO[bytes], name: str, rows: int) -> np.ndarray[Any, Any]:
        dtype, kind = self._dtypes[name], self.schema.field(name).type
        shape = (rows, kind.list_size) if pa.types.is_fixed_size_list(kind) else (rows,)
        wanted = int(np.prod(shape)) * dtype.itemsize
        try:
            data = file.read(wanted)
        except zipfile.BadZipFile as error:  # a wrong checksum
            raise OSError(str(error)) from error
        if len(data) < wanted:
            raise EOFError(f"array {name!r} ends early")
        return np.frombuffer(data, dtype).reshape(shape)
