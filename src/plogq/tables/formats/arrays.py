"""Named arrays in memory as a table: a matrix is a list column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.formulas.arrays import has_mask
from plogq.kernels.arrays import to_numpy
from plogq.tables.arrays import plain, plain_type
from plogq.tables.formats import KINDS
from plogq.tables.formats.label_scores import by_label
from plogq.tables.formats.memory import as_table, is_frame
from plogq.tables.formats.wanted import Wanted

Shape = tuple[int, ...]
Raw = np.ndarray[Any, Any]

LABELS = ("labels", "label")
OF_A_CLASS = tuple(f"{kind[:-1]}_" for kind in KINDS)  # columns of a frame, by class
MASKS = ("mask", "attention_mask")  # True, or 1, where a row counts, as of padded texts


class Head(NamedTuple):
    """What an array is, before it is read.

    Attributes
    ----------
    dtype
        Of NumPy or Arrow.
    shape
        As it was given.
    fortran
        Whether it lies in Fortran order.
    rows
        Its shape as a column, (rows,) or (rows, classes); None where it has none.
    """

    dtype: np.dtype[Any] | pa.DataType
    shape: Shape
    fortran: bool = False
    rows: Shape | None = None

    def type(self) -> pa.DataType:
        """Return the column type; null for what can be no column, which its reading refuses."""
        item = _item(self.dtype)
        if self.rows is None or 0 in self.rows[1:] or pa.types.is_null(item):
            return pa.null()
        return item if len(self.rows) == 1 else pa.list_(item, self.rows[1])


def _item(dtype: np.dtype[Any] | pa.DataType) -> pa.DataType:
    if isinstance(dtype, pa.DataType):
        return plain_type(dtype)
    if dtype.kind == "T":  # strings of any length
        return pa.string()
    try:
        return pa.from_numpy_dtype(_plain_dtype(dtype))
    except pa.ArrowNotImplementedError:
        return pa.null()


def _plain_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return NumPy's own dtype for one of another library (bfloat16) or machine (>f8, float128)."""
    if dtype.kind == "V" and dtype.names is None:
        wide = [np.dtype(kind) for kind in (np.int64, np.float32) if np.can_cast(dtype, kind)]
        return wide[0] if wide else dtype
    if dtype.kind == "f" and dtype.itemsize > 8:
        return np.dtype(np.float64)
    return dtype if dtype.kind == "T" else dtype.newbyteorder("=")


def as_rows(heads: dict[str, Head]) -> dict[str, Head]:
    """Return the heads with their shapes as columns.

    (N, 1) becomes (N,). Beside predictions of shape (N, T, C) each of the N · T places is a row,
    the T places of one n following each other.
    """
    leads = {head.shape[:-1] for name, head in heads.items() if name in KINDS}
    [lead] = leads if len(leads) == 1 else [()]
    return {name: head._replace(rows=_columns(head.shape, lead)) for name, head in heads.items()}


def _columns(shape: Shape, lead: Shape) -> Shape | None:
    if len(lead) > 1 and shape[: len(lead)] == lead:
        shape = (math.prod(lead), *shape[len(lead) :])
    if len(shape) == 2 and shape[1] == 1:
        return shape[:1]
    return shape if len(shape) in (1, 2) else None


def schema_of(heads: dict[str, Head]) -> pa.Schema:
    """Return the schema of arrays as columns."""
    return pa.schema([(name, head.type()) for name, head in heads.items()])


def row_count(path: str, heads: dict[str, Head], columns: list[str], note: str = "") -> int:
    """Return the number of rows of the arrays to read; only these are checked."""
    for name in columns:
        head = heads[name]
        where = f"{path}: array {name!r}"
        if head.rows is None:
            expected = (
                "have shape (rows,) or (rows, classes), or (rows, places, classes) beside labels "
                "of shape (rows, places)"
            )
            refuse(where, expected, head.shape, error=TableError)
        if 0 in head.rows[1:]:
            refuse(where, "have at least one class", f"shape {head.shape}", error=TableError)
        if head.type() == pa.null() and not isinstance(head.dtype, pa.DataType):
            expected = f"hold plain numbers or strings{note}"
            refuse(where, expected, f"dtype {head.dtype}", error=TableError)
    shapes = {name: head.shape for name, head in heads.items() if name in columns}
    lengths = [rows[0] for name in columns if (rows := heads[name].rows) is not None]
    if len(set(lengths)) > 1:
        came = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        expected = "hold arrays of one length, a row for each label and the classes last"
        refuse(path, expected + _remedy(shapes), came, error=TableError)
    return lengths[0]


def _remedy(shapes: dict[str, Shape]) -> str:
    """Return a hint on how to turn an array whose classes are not last."""
    for (name, shape), (_, other) in permutations(shapes.items(), 2):
        if len(shape) == 2 and shape[1] == other[0] and len(other) < 3:
            return f" (transpose {name!r}?)"
        if len(shape) > 2 and shape[:1] + shape[2:] == other:
            return f" (np.moveaxis({name}, 1, -1)?)"
    return ""


def is_prediction(name: str) -> bool:
    """Return whether an array is of predictions, by its name."""
    return name in KINDS or name.startswith(OF_A_CLASS)


def notes_of(heads: dict[str, Head]) -> list[str]:
    """Return notes on what more than two axes are taken for, and on masks that are not used."""
    unread = [
        f"{name!r} is not looked at: no array is called logits, logprobs or probs."
        for name in MASKS
        if name in heads and not any(map(is_prediction, heads))
    ]
    return unread + [
        f"{name!r} is of shape {head.shape}: each of its {head.rows[0]:,} places is a row, and the "
        "last axis is the classes."
        for name, head in heads.items()
        if name in KINDS and len(head.shape) > 2 and head.rows is not None
    ]


def rows_that_count(path: str, heads: dict[str, Head], read: Callable[[str], Raw]) -> Raw | None:
    """Return which rows count, (rows,) booleans, if an array is a mask of them; None: all do."""
    places = {head.shape[:-1] or head.shape for name, head in heads.items() if is_prediction(name)}
    kept = None
    for name in MASKS:
        head = heads.get(name)
        if head is None or len(places) != 1:
            continue
        [place] = places
        where = f"{path}: array {name!r}"
        if head.shape != place:
            if len(place) == 1 and len(head.shape) != 1:
                continue  # it is a mask of something else
            expected = f"have a place for each row, shape {place}, or go by another name"
            refuse(where, expected, head.shape, error=TableError)
        one = read(name).reshape(-1)
        if one.dtype.kind not in "biu" or not np.isin(one, (0, 1)).all():
            expected = "hold booleans, or 1 for a row that counts and 0 for one that does not"
            refuse(where, expected, f"others, of {one.dtype}", error=TableError)
        kept = one.astype(bool) if kept is None else kept & one.astype(bool)
    return kept


def record_batch(columns: dict[str, pa.Array], kept: Raw | None, first: int) -> pa.RecordBatch:
    """Return columns as a batch of rows from `first` on; labels that do not count are null."""
    if kept is not None:
        for name, column in columns.items():
            if not is_prediction(name):  # the label, whatever it is called
                columns[name] = _hide(column, kept[first : first + len(column)])
    return pa.record_batch(columns)


def _hide(column: pa.Array, kept: Raw) -> pa.Array:
    """Return a column that is missing in the rows that do not count."""
    from pyarrow import compute

    return compute.if_else(pa.array(kept), plain(column), None)


def likely_rows(heads: dict[str, Head]) -> int | None:
    """Return how many rows there are, if all arrays agree on it."""
    lengths = {() if head.rows is None else head.rows[:1] for head in heads.values()}
    return next(iter(lengths.pop()), None) if len(lengths) == 1 else None


def column(array: Raw) -> pa.Array:
    """Return an array as a column, a matrix as one of lists; what a mask hides is null."""
    native = array.astype(_plain_dtype(array.dtype), copy=False)
    if native.ndim == 1:
        return pa.array(native)
    flat = pa.array(native.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, native.shape[1])


def rows_that_fit(schema: pa.Schema, wanted: Wanted) -> int:
    """Return how many rows of the wanted columns a batch may have, at least one."""
    width = [schema.field(name).type for name in wanted.columns]
    each = sum(8 * (t.list_size if pa.types.is_fixed_size_list(t) else 1) for t in width)
    return max(1, min(wanted.rows, wanted.size // max(1, each)))


class Arrays:
    """A mapping of arrays, {"logits": (rows, classes), "labels": (rows,)}, of whatever library.

    A frame in it becomes a column for each class, named after the class. A label that a mask hides,
    its own or the array `mask`, is missing.

    Attributes
    ----------
    masked
        Whether there is such a mask: then missing labels are meant to be left out.
    notes
        Sentences that say how the arrays are read, where that may be doubted.
    """

    format = "arrays"
    path = "arrays"

    def __init__(self, arrays: Mapping[Any, Any]) -> None:
        self._arrays: dict[str, Raw | pa.ChunkedArray | TableError] = {}
        for name, array in arrays.items():
            frame = is_frame(array)
            array = list(map(by_label, array)) if isinstance(array, list) else array
            found = _of_frame(str(name), array) if frame else {str(name): _entry(str(name), array)}
            twice = [each for each in found if each in self._arrays]
            if twice:
                expected = "have a name for each array of its own"
                refuse(self.path, expected, f"{twice[0]!r} again", error=TableError)
            self._arrays |= found
        self._heads = as_rows({name: _head(a) for name, a in self._arrays.items()})
        self.schema = schema_of(self._heads)
        self.rows = likely_rows(self._heads)
        self._kept = rows_that_count(self.path, self._heads, self._plain)
        own = (has_mask(x) for name, x in self._arrays.items() if name in LABELS)
        self.masked = self._kept is not None or any(own)
        self.notes = notes_of(self._heads)

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield slices of the arrays."""
        for name in wanted.columns:
            if isinstance(wrong := self._arrays[name], TableError):
                raise wrong
        length = row_count(self.path, self._heads, wanted.columns)
        step = rows_that_fit(self.schema, wanted)
        arrays = {name: self._as_rows(name) for name in wanted.columns}
        for first in range(0, length, step):
            slices = {
                name: array.slice(first, step).combine_chunks()
                if isinstance(array, pa.ChunkedArray)
                else column(array[first : first + step])
                for name, array in arrays.items()
            }
            yield record_batch(slices, self._kept, first)

    def _plain(self, name: str) -> Raw:
        """Return an array as NumPy's."""
        array = self._arrays[name]
        if isinstance(array, TableError):
            raise array
        return np.asarray(array)

    def _as_rows(self, name: str) -> Any:
        array = self._arrays[name]
        return array.reshape(self._heads[name].rows) if isinstance(array, np.ndarray) else array


def _of_frame(name: str, frame: Any) -> dict[str, Any]:
    table = as_table(frame)
    if table.num_columns == 1:
        return {name: table.column(0)}
    each = zip(table.column_names, table.columns, strict=True)
    return {f"{name.removesuffix('s')}_{column}": values for column, values in each}


def _entry(name: str, x: Any) -> Raw | pa.ChunkedArray | TableError:
    """Return x as NumPy's (masked, if it was) or Arrow's array, or the error that refuses it."""
    where = f"{Arrays.path}: array {name!r}"
    if has_mask(x):
        return x
    try:
        if isinstance(x, pa.Array):
            return pa.chunked_array([x])
        if hasattr(x, "__arrow_c_stream__"):
            return pa.chunked_array(x)
        array = to_numpy(where, x)
    except (TypeError, ValueError, pa.ArrowException) as wrong:
        return TableError(str(wrong).strip().splitlines()[0])
    return _of_objects(array) if array.dtype == object and array.ndim in (1, 2) else array


def _of_objects(array: Raw) -> Raw | pa.ChunkedArray:
    """Return Python's own numbers, strings or lists as Arrow reads them; else the array itself."""
    try:
        values = pa.array(array.reshape(-1))
        if array.ndim == 2 and array.shape[1] != 1:
            values = pa.FixedSizeListArray.from_arrays(values, array.shape[1])
    except (TypeError, ValueError, OverflowError, pa.ArrowException):
        return array
    return pa.chunked_array([values])


def _head(array: Raw | pa.ChunkedArray | TableError) -> Head:
    if isinstance(array, TableError):
        return Head(pa.null(), (0,))
    if isinstance(array, pa.ChunkedArray):
        return Head(array.type, (len(array),))
    return Head(array.dtype, array.shape)
