"""A table of predictions, opened: its columns, its classes, and its rows batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain

from plogq.errors import TableError
from plogq.records import READING, Caution, Source
from plogq.tables.batch import Batch, classes_of, to_batch
from plogq.tables.columns import Columns
from plogq.tables.first_look import first_look
from plogq.tables.formats.wanted import HEAD_ROWS
from plogq.tables.labels import Labels
from plogq.tables.readers import Part, Table

Progress = Callable[[int, int | None], None]


class Predictions:
    """A table of predictions whose columns and classes are known.

    Parameters
    ----------
    table, columns
        The table, and what its columns mean.

    Attributes
    ----------
    columns
        What its columns mean, with what a first look at the rows says of them.
    classes
        The names of the classes, in the order of the predictions.
    labels
        What each value of the label column stands for.

    Raises
    ------
    TableError
        The table has no rows.
    """

    def __init__(self, table: Table, columns: Columns) -> None:
        self.table = table
        self.columns = columns
        with closing(table.parts(columns.read(), columns.types(), HEAD_ROWS)) as parts:
            first = next(parts, None)
            if first is None:
                raise TableError(f"{self.path}: no rows")
            self.classes = classes_of(first, columns)
            labels = Labels(self.classes, columns)
            self.columns = first_look(chain([first], parts), columns, labels)
        self.labels = Labels(self.classes, self.columns)

    @property
    def path(self) -> str:
        """The first file, by which messages name the table."""
        return self.table.paths[0]

    def parts(self) -> Iterator[Part]:
        """Stream the columns that are needed."""
        return self.table.parts(self.columns.read(), self.columns.types())

    def batches(self, progress: Progress | None = None) -> Iterator[Batch]:
        """Stream the rows as arrays; tell `progress` (rows done, rows in all) after each batch."""
        for part in self.parts():
            batch = to_batch(part, self.columns, self.labels)
            yield batch
            if progress is not None:
                progress(part.start + part.batch.num_rows, self.table.rows)

    def origin(self, left_out: int = 0) -> Source:
        """Return which files were read, how, and which columns were taken for what."""
        notes = [*self.table.notes, *self.columns.notes]
        if self.columns.ignore:
            which = " or ".join(self.columns.ignore)
            rows = "1 row" if left_out == 1 else f"{left_out:,} rows"
            notes.append(f"Left out for the label {which}: {rows}.")
        return Source(
            tuple(self.table.paths), self.table.format, self.columns.taken(), tuple(notes)
        )

    def warnings(self, rows: int, more: Iterable[str] = ()) -> list[Caution]:
        """Return warnings on what may mean something else than it was read as."""
        said = dict.fromkeys([*self.table.warnings, *self.columns.warnings, *more])
        return [Caution(code=READING, message=each.removesuffix("."), rows=rows) for each in said]


def refuse_nothing_left(path: str, rows: int, left_out: int) -> None:
    """Refuse a table all of whose rows are left out for their labels."""
    if rows == 0 and left_out:
        raise TableError(f"{path}: no row is left: --ignore leaves out all, {left_out:,}")
