"""A table of predictions that needs no labels: a column that nobody asks about stands for them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from plogq.tables.columns import Columns, find_columns
from plogq.tables.formats.wanted import Types
from plogq.tables.predictions import Predictions
from plogq.tables.readers import Part, Table


class Unlabelled(Table):
    """A table, and a column of labels that are all of one class.

    Attributes
    ----------
    label
        The name of that column.
    value
        The label of each row.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table.readers)
        self._table = table
        self.notes, self.warnings, self.masked = table.notes, table.warnings, False
        self.label, self.value = "(no label)", "0"  # messages list it among the columns
        while self.label in table.schema.names:
            self.label += "_"
        self.schema = table.schema.append(pa.field(self.label, pa.string()))

    def parts(
        self, columns: list[str], types: Types, most: int | None = None
    ) -> Generator[Part, None, None]:
        """Stream the columns, with the label where it is asked for."""
        there = [name for name in columns if name != self.label]
        parts = self._table.parts(there, types, most)
        yield from parts if len(there) == len(columns) else map(self.labelled, parts)

    def labelled(self, part: Part) -> Part:
        """Return a part of the table with the label of each row."""
        labels = pa.array([self.value] * part.batch.num_rows, pa.string())
        return part._replace(batch=part.batch.append_column(self.label, labels))

    def columns(self, **model: Any) -> Columns:
        """Return what the columns mean; the labels, if the table has any, are not read.

        `model` has the options of `find_columns` that say where the predictions are.
        """
        columns = find_columns(self, label=self.label, **model)
        self.value = (columns.classes or ("0",))[0]
        return replace(columns, labelled=False)

    def predictions(self, **model: Any) -> Predictions:
        """Return the table opened, by the options of `columns`."""
        return Predictions(self, self.columns(**model))
