"""A table of predictions, opened: its columns, its classes, and its rows batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from plogq.errors import TableError
from plogq.tables.batch import Batch, classes_of, to_batch
from plogq.tables.columns import Columns
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
        classes = columns.classes if table.rows else None
        if classes is None:
            first = next(self.parts(), None)
            if first is None:
                raise TableError(f"{self.path}: no rows")
            classes = classes_of(first, columns)
        self.classes = classes
        self.labels = Labels(classes, columns)

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
                progress(part.start + len(batch.target), self.table.rows)

    def origin(self) -> dict[str, Any]:
        """Return which files were read, and which columns were taken for what."""
        return {
            "paths": self.table.paths,
            "format": self.table.format,
            "columns": self.columns.taken(),
        }
