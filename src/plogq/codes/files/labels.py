"""The labels of an opened table, coded under its predictions, and decoded as a check."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from plogq.codes import CodeError, CodeLength, ModelDecoder, ModelEncoder
from plogq.errors import TableError
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch
from plogq.tables.columns import Columns
from plogq.tables.predictions import Predictions, Progress
from plogq.tables.row_figures import distributions
from plogq.tables.row_sums import TOLERANCE


class CodedLabels(NamedTuple):
    """The labels of a table as bytes.

    Attributes
    ----------
    data
        The code.
    length
        The length of the code, and its parts.
    counts
        The number of labels of each class, (C,).
    """

    data: bytes
    length: CodeLength
    counts: np.ndarray[Any, np.dtype[np.int64]]


def encode_labels(
    predictions: Predictions, impossible: Literal["refuse", "escape"], progress: Progress | None
) -> CodedLabels:
    """Code the labels in the order of the table, then decode them in a second pass as a check.

    Each pass is on one thread, and keeps only a batch and the compressed bytes in memory.
    The bytes depend on the rows alone, not on how they are split into files.

    Parameters
    ----------
    impossible
        What to do with a label of probability 0: refuse it, or code it with 24 bits and count it.

    Raises
    ------
    TableError
        If a label has probability 0 and is to be refused, or if other labels are decoded than were
        coded, since the table was changed meanwhile.
    """
    kind, classes = predictions.columns.kind, len(predictions.classes)
    encoder = ModelEncoder(classes, kind=kind, impossible=impossible)
    counts = np.zeros(classes, np.int64)
    for batch in predictions.batches(progress):
        rows = coder_predictions(batch, predictions.columns)
        try:
            encoder.encode(batch.target, rows)
        except ValueError as error:  # the row in the message counts through all files
            raise TableError(f"{batch.part.path}: {error}") from error
        counts += np.bincount(batch.target, minlength=classes)
    data, length = encoder.finish()
    _check(data, predictions, progress)
    return CodedLabels(data, length, counts)


def _check(data: bytes, predictions: Predictions, progress: Progress | None) -> None:
    """Decode the code along the table, and compare label by label."""
    columns = predictions.columns
    decoder = ModelDecoder(data, kind=columns.kind)
    expected = "be what was coded a pass before (is the table being written?)"
    try:
        for batch in predictions.batches(progress):
            decoded = decoder.decode(coder_predictions(batch, columns))
            wrong = decoded != batch.target
            batch.part.check(columns.label, wrong, expected, decoded.tolist().__getitem__)
        decoder.finish()
    except CodeError as error:
        raise TableError(f"{predictions.path}: changed while it was coded: {error}") from error


def coder_predictions(batch: Batch, columns: Columns) -> Array:
    """Return (n, C) predictions; one binary column becomes two, one for each class."""
    x = batch.predictions
    if columns.layout != "binary":
        if not columns.normalise and columns.rounding is None:
            return x
        q, surprisal = distributions(batch, columns)
        return q if columns.kind == "probs" else -surprisal
    x = x.astype(np.float64)
    if columns.kind == "logits":
        return np.column_stack([np.zeros_like(x), x])
    if columns.kind == "probs":
        x = np.where(np.abs(x - 0.5) <= 0.5 + TOLERANCE, np.clip(x, 0.0, 1.0), x)
        return np.column_stack([1 - x, x])
    x = np.where(x <= TOLERANCE, np.minimum(x, 0.0), x)
    with np.errstate(divide="ignore"):  # log 0 = −inf is meant
        return np.column_stack([np.log(-np.expm1(x)), x])
