"""The labels that are likely wrong, with the names of their JSON and in the unit asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plogq.formulas.units import Unit
from plogq.kinds import Count, Finite, Interval, Number, Scalar, Share, Text
from plogq.records import Caution, Document, Source


@dataclass(frozen=True, kw_only=True)
class SuspectLabel:
    """A row whose label is likely wrong."""

    row: Count | None = None
    """Its number, from 0; null where rows have ids."""
    id: Scalar | None = None
    """Its id, where rows have ids."""
    label: Text
    """The label that it has."""
    suggested: Text
    """The most probable other class."""
    probability: Share
    """The probability that the label is wrong."""
    surprisal: Number
    """What the label costs by the recalibrated predictions, in the result's unit."""


@dataclass(frozen=True, kw_only=True)
class ConfusedLabels:
    """How many rows of one label are likely of another class."""

    label: Text
    """The label that they have."""
    suggested: Text
    """The class that they are likely of."""
    rows: Finite
    """The expected number of such rows."""


@dataclass(frozen=True, kw_only=True)
class LabelErrors(Document):
    """Which labels are likely wrong, how many, and what they cost."""

    COMMAND: ClassVar[str] = "plogq labels"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"

    source: Source
    """Which files were read, and how."""
    unit: Unit
    """The unit of every cost."""
    rows: Count
    """How many rows have labels."""
    classes: tuple[Text, ...]
    """The names of the classes."""
    recalibration: Text
    """The family that the predictions were recalibrated by."""
    accuracy: Share
    """The share of rows whose top class is the label."""
    cross_entropy: Number
    """Mean −log q(y) of the table as it is; infinite where a label had probability 0."""
    expected: Finite
    """The expected number of wrong labels: the sum over rows of the probability."""
    interval: Interval | None
    """From the least to the most that may be wrong, and as far beyond as other rows would differ:
    the lower end takes what doubt there is to be overlap of classes where it may be, the upper end
    to be wrong labels; null with fewer than 20 rows or groups."""
    cost: Number
    """What the wrong labels are expected to pay of the cross-entropy."""
    confused: tuple[ConfusedLabels, ...]
    """Which labels are likely of which class, the most rows first."""
    suspects: tuple[SuspectLabel, ...]
    """The rows to look at, the most suspicious first."""
    warnings: tuple[Caution, ...]
    """What to keep in mind when reading the figures."""
