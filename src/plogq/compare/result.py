"""The result of a comparison: plain records with the names of its JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from plogq.formulas.units import Unit
from plogq.kinds import Count, Either, Finite, Interval, Number, Share, Text
from plogq.records import Caution, Document, Source
from plogq.tables.sums.bootstrap import FEWEST

Pairing = Literal["row order", "id", "doc", "text"]
Winner = Literal["a", "b"] | None
TIE = 1e-9  # a difference that rounding explains: nats, or bits, per row or part of the text


@dataclass(frozen=True)
class PredictionFigures:
    """One model's own figures, over all rows; costs are in the result's unit per row."""

    source: Source
    """Which files were read, and how."""

    cross_entropy: Number
    """What a label costs; infinite where one had probability 0."""

    cross_entropy_finite: Number | None
    """The cross-entropy over the rows whose label had a probability above 0."""

    zero_probability_rows: Count
    """The number of rows whose label had probability 0."""

    perplexity: Number
    """exp of the cross-entropy in nats; infinite, too, where a float64 cannot hold it."""

    accuracy: Share
    """The share of the rows whose most probable class is the label."""

    brier: Finite
    """The mean squared error of the probabilities."""

    prediction_entropy: Number
    """What the model expects to pay."""

    overconfidence: Number
    """The cross-entropy less the prediction entropy."""


@dataclass(frozen=True)
class TokenFigures:
    """One model's own figures, over all documents; null where what they need is not known."""

    source: Source
    """Which files were read, and how."""

    bytes: Count | None
    """The number of bytes scored."""

    cross_entropy_per_byte: Number | None
    """The cost in the result's unit; infinite, as below, where a token had probability 0."""

    perplexity_per_byte: Number | None
    """exp of the cross-entropy per byte in nats; infinite where a float64 cannot hold it."""

    tokens: Count | None
    """The number of tokens scored."""

    cross_entropy_per_token: Number | None
    """The cost in the result's unit."""

    perplexity_per_token: Number | None
    """exp of the cross-entropy per token in nats; infinite where a float64 cannot hold it."""

    words: Count | None
    """The number of words scored."""

    cross_entropy_per_word: Number | None
    """The cost in the result's unit."""

    perplexity_per_word: Number | None
    """exp of the cross-entropy per word in nats; infinite where a float64 cannot hold it."""

    zero_probability_tokens: Count
    """The number of tokens that had probability 0."""


@dataclass(frozen=True)
class Wins:
    """Shares of the rows or documents by which model predicts them better; they sum to 1."""

    a: Share
    """The share that A predicts better."""

    b: Share
    """The share that B predicts better."""

    tie: Share
    """The share that both predict alike."""


@dataclass(frozen=True)
class Group:
    """The rows of one class or of one value of a column; costs are per row."""

    rows: Count
    """The number of rows."""

    a: Number | None
    """The cross-entropy of A; null, as below, where the rows weigh nothing."""

    b: Number | None
    """The cross-entropy of B."""

    difference: Number | None
    """A's cost less B's, over the rows that are possible under both."""

    interval: Interval | None
    """The ends of the difference's interval; null where there is none."""

    winner: Winner
    """The model that is clearly better; null where neither is."""


@dataclass(frozen=True)
class RowPair:
    """One row under both models; it has an id where rows are paired by it, else a number."""

    label: Text
    """The label of the row."""

    a: Number
    """What the row costs under A, in the result's unit."""

    b: Number
    """What the row costs under B."""

    row: Count | None = None
    """The number of the row in A's table, from 0."""

    id: Text | None = None
    """The id of the row."""


@dataclass(frozen=True)
class DocumentPair:
    """One document under both models."""

    doc: Text
    """The name of the document."""

    a: Number
    """What the document costs under A, per byte or else per token."""

    b: Number
    """What the document costs under B."""

    bytes: Count | None = None
    """The bytes that A scored, where costs are per byte."""

    tokens: Count | None = None
    """The tokens that A scored, where costs are per token."""


AnyFigures: TypeAlias = Annotated[PredictionFigures | TokenFigures, Either("cross_entropy")]
AnyPair: TypeAlias = Annotated[RowPair | DocumentPair, Either("label")]


@dataclass(frozen=True)
class Largest:
    """The rows or documents of the largest differences."""

    a: tuple[AnyPair, ...]
    """Those that A predicts better."""

    b: tuple[AnyPair, ...]
    """Those that B predicts better."""


@dataclass(frozen=True)
class Comparison(Document):
    """Two models on the same rows or documents; costs are in `unit`, per row or per `per`.

    A difference is A's cost less B's: where it is negative, A is better. Intervals have the level
    of `plogq.tables.sums.level`; a winner is named where one does not hold 0, and not for few rows.
    """

    COMMAND: ClassVar[str] = "plogq compare"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"

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

    a: AnyFigures
    """A's own figures."""

    b: AnyFigures
    """B's own figures."""

    difference: Number | None
    """A's cost less B's; infinite where one of them is, null where both are."""

    difference_finite: Number | None
    """The same over the rows that are possible under both; of documents, without the cost of
    tokens that had probability 0."""

    accuracy_difference: Finite | None
    """A's accuracy less B's; null of documents."""

    intervals: dict[Text, Interval]
    """The ends of intervals, by the names of the fields that they are of."""

    winner: Winner
    """The model that is clearly better; null where neither is."""

    wins: Wins | None
    """By which model rows or documents are predicted better; null where none counts."""

    per_class: dict[Text, Group]
    """The rows of each class, by its name."""

    slices: dict[Text, dict[Text, Group]]
    """The rows of each value, by column and value."""

    largest: Largest
    """The rows or documents of the largest differences."""

    warnings: tuple[Caution, ...]
    """What to keep in mind when reading the figures; `rows` counts rows, documents or tokens."""


def winner_of(ends: Interval | None, difference: float | None, drawn: int) -> Winner:
    """Return who is clearly better, by A's cost less B's and its interval of `drawn` rows.

    The rows may be groups or documents; from few, an interval is too narrow to name a winner. An
    infinite cost is worse than any other, without an interval. An interval of few replicates may
    lie on the other side of 0 than the difference: then nothing is clear.
    """
    if difference is not None and math.isinf(difference):
        return "b" if difference > 0 else "a"
    if difference is None or ends is None or drawn < FEWEST:
        return None
    if difference < -TIE and ends[1] < 0:
        return "a"
    return "b" if difference > TIE and ends[0] > 0 else None


def difference_of(a: float, b: float, finite: float | None) -> float | None:
    """Return A's cost less B's where one is infinite, or else what it is over all rows."""
    if math.isinf(a) and math.isinf(b):
        return None
    return a - b if math.isinf(a) or math.isinf(b) else finite
