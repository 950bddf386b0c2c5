"""The result of comparing three models or more: plain records with the names of its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from plogq.compare.result import AnyFigures, Pairing
from plogq.formulas.units import Unit
from plogq.kinds import Count, Finite, Interval, Number, Text
from plogq.records import Caution, Document


@dataclass(frozen=True)
class Difference:
    """What one model costs more than another, in the result's unit per row or part of the text."""

    difference: Number | None
    """The first model's cost less the second's; infinite where one is, null where both are."""

    difference_finite: Number | None
    """The same over the rows that are possible under both; of documents, without the cost of
    tokens that had probability 0."""

    interval: Interval | None
    """The ends of its interval, which hold together with those of all other pairs; by class and
    slice, with those of all pairs and rows of its table."""

    smallest_shown: Number | None
    """The smallest true difference that so many rows show in 4 of 5 cases."""

    winner: Text | None
    """The model that is clearly better; null for a tie."""


@dataclass(frozen=True)
class ManyGroup:
    """The rows of one class or of one value of a column, under every model."""

    rows: Count
    """The number of rows."""

    costs: dict[Text, Number | None]
    """The cross-entropy under each model, per row; null where the rows weigh nothing."""

    best: tuple[Text, ...]
    """The model that costs least, and those tied with it, by their cost."""

    differences: dict[Text, Difference]
    """By pair of models, such as "A-B": A's cost less B's."""


@dataclass(frozen=True)
class Disagreement:
    """A row or document on which the models differ by most."""

    costs: dict[Text, Number]
    """What it costs under each model, in the result's unit; of a document, per byte or token."""

    label: Text | None = None
    """The label of the row."""

    row: Count | None = None
    """The number of the row in A's table, from 0."""

    id: Text | None = None
    """The id of the row."""

    doc: Text | None = None
    """The name of the document."""


@dataclass(frozen=True)
class ManyComparison(Document):
    """Three models or more on the same rows or documents; costs are in `unit`, per `per`.

    Models are called A, B, C, … in the order given. The intervals of a table hold together, at the
    level of `plogq.tables.sums.level`: with many pairs none is clear by chance more often than with
    one pair.
    """

    COMMAND: ClassVar[str] = "plogq compare of three or more"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"
    NAMED: ClassVar[tuple[str, ...]] = ("models", "differences")

    kind: Literal["predictions", "tokens"]
    """What was compared: predictions of rows, or the tokens of documents."""

    pairing: Pairing
    """By what rows or documents were paired."""

    unit: Unit
    """The unit of every cost."""

    per: Literal["row", "byte", "token"]
    """What the costs that are compared are divided by."""

    rows: Count
    """The number of rows or documents."""

    weight: Finite
    """The sum of the rows' weights; of documents, the bytes or tokens that A scored."""

    models: dict[Text, AnyFigures]
    """Each model's own figures."""

    best: tuple[Text, ...]
    """The model that costs least, and those tied with it, by their cost; none where every cost is
    infinite."""

    differences: dict[Text, Difference]
    """By pair of models, such as "A-B": A's cost less B's."""

    per_class: dict[Text, ManyGroup]
    """The rows of each class, by its name."""

    slices: dict[Text, dict[Text, ManyGroup]]
    """The rows of each value, by column and value."""

    disagreements: tuple[Disagreement, ...]
    """The rows or documents on which the models differ by most, those first."""

    warnings: tuple[Caution, ...]
    """What to keep in mind when reading the figures; `rows` counts rows, documents or tokens."""
