"""Batches as they come, such as those of a validation loop: a table that is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.tables.formats.arrays import Arrays
from plogq.tables.formats.memory import Memory, as_table, is_frame
from plogq.tables.formats.wanted import HEAD_ROWS, Wanted

ROWS_AT_ONCE = 4_096  # smaller batches are put together: each costs the same work beside its rows


def is_stream(source: Any) -> bool:
    """Return whether a source is a generator, or another iterator, of batches."""
    return isinstance(source, Iterator) and not is_frame(source)


class Stream:
    """An iterator of batches: mappings of arrays, frames, or pairs (logits, labels).

    Each batch is copied, so that a loop may use the memory of its tensors again. The first rows are
    kept until the rows behind them are asked for, since columns are found by a first look.
    """

    format = "batches"
    path = "batches"
    rows = None

    def __init__(self, source: Iterator[Any]) -> None:
        self.masked = False
        self._coming = _together(self._read(source))
        first = next(self._coming, None)
        if first is None:
            raise TableError(f"{self.path}: no rows")
        self.schema = first.schema
        self._held: list[pa.RecordBatch] | None = [first]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield the batches; once it is beyond the first rows, this can be done no more."""
        if self._held is None:
            expected = "be read twice here: score what is saved to a file, or one whole table"
            refuse(self.path, expected, "batches that come once", error=TableError)
        seen = rows = 0
        while rows < HEAD_ROWS:
            if seen == len(self._held):
                batch = next(self._coming, None)
                if batch is None:
                    return
                self._held.append(batch)
            yield self._held[seen].select(wanted.columns)
            rows += self._held[seen].num_rows
            seen += 1
        self._held = None
        for batch in self._coming:
            yield batch.select(wanted.columns)

    def _read(self, source: Iterator[Any]) -> Iterator[pa.RecordBatch]:
        """Yield what comes as batches of Arrow, of one schema."""
        schema = None
        for number, given in enumerate(source):
            reader = _reader(f"{self.path}: batch {number}", given)
            self.masked |= getattr(reader, "masked", False)
            found = pa.schema([each for each in reader.schema if not pa.types.is_null(each.type)])
            schema = found if schema is None else schema
            for each in schema:
                at = found.get_field_index(each.name)
                came = "no such column" if at < 0 else found.field(at).type
                if came != each.type:
                    where = f"{self.path}: batch {number}: column {each.name!r}"
                    refuse(where, f"be {each.type} as in batch 0", came, error=TableError)
            whole = Wanted(schema.names, {}, 1 << 62, 1 << 62)
            for batch in reader.batches(whole):
                yield batch.cast(schema)


def _together(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield copies of batches, small ones put together."""
    some: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        # A copy of its own: the generator may write into the same memory before the next is full.
        some.append(pa.concat_batches([batch]))
        rows += batch.num_rows
        if rows >= ROWS_AT_ONCE:
            yield pa.concat_batches(some)
            some, rows = [], 0
    if rows:
        yield pa.concat_batches(some)


def _reader(where: str, given: Any) -> Arrays | Memory:
    if isinstance(given, tuple | list) and len(given) == 2:
        logits, labels = given
        return Arrays({"logits": logits, "labels": labels})
    if is_frame(given):
        return Memory(as_table(given))
    if isinstance(given, Mapping):
        return Arrays(given)
    expected = 'be a pair (logits, labels), a frame, or a mapping such as {"probs": p, "labels": y}'
    return refuse(where, expected, type(given).__name__, error=TableError)
