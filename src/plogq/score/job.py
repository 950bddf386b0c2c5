"""What every engine does with the parts of a table, in whichever process it runs."""

from __future__ import annotations

from dataclasses import dataclass

from plogq.score.state.state import State
from plogq.tables.batch import Batch, to_batch
from plogq.tables.columns import Columns
from plogq.tables.labels import Labels
from plogq.tables.readers import Part
from plogq.tables.row_figures import FusedRows, RowFigures, figures_or_logits


@dataclass(frozen=True)
class Job:
    """How the rows of one table become a state; it can be sent to any process.

    A state sums parts, and states merge, to the same bits in any order and split: that is all an
    engine has to know.
    """

    columns: Columns
    labels: Labels
    floor: float | None
    top: int
    seed: int
    of_rows: int | None = None  # how many the table has

    def new_state(self) -> State:
        """Return a state that has seen no rows."""
        return State(
            len(self.labels.classes),
            weighted=self.columns.weight is not None,
            soft=self.columns.labels != "class",
            slices=self.columns.slices,
            floor=self.floor,
            top=self.top,
            seed=self.seed,
            of_rows=self.of_rows,
        )

    def figures(self, part: Part) -> tuple[Batch, RowFigures | FusedRows]:
        """Return a part as arrays, and the figures of its rows: what a state is updated with."""
        batch = to_batch(part, self.columns, self.labels)
        return batch, figures_or_logits(batch, self.columns, len(self.labels.classes))
