"""What the labels of a table cost as a code, as a part of its score."""

from __future__ import annotations

from plogq.codes.files.labels import encode_labels
from plogq.errors import TableError
from plogq.records import Caution
from plogq.score.parts import LabelsCode
from plogq.tables.columns import Columns
from plogq.tables.predictions import Predictions, Progress


def refuse_code(columns: Columns, engine: str) -> None:
    """Refuse, before any work, labels or an engine with which no code can be made."""
    if engine != "local":
        raise TableError(
            "--code runs in one process, for each row is coded after all that are before it: "
            "score with engine local"
        )
    if columns.labels != "class":
        kind = "distributions" if columns.labels == "soft" else "several annotators' labels"
        raise TableError(
            f"--code needs one class in each row to compress; column {columns.label!r} holds {kind}"
        )


def code_figures(predictions: Predictions, progress: Progress | None) -> LabelsCode:
    """Return what the labels cost as a code, in bits per row.

    Raises
    ------
    TableError
        What is decoded differs from what was coded: the table was changed in between.
    """
    length = encode_labels(predictions, "escape", progress).length
    return LabelsCode(
        bytes=length.bytes,
        bits_per_row=length.bits_per_row,
        exact_bits_per_row=length.exact_bits_per_row,
        quantised_bits_per_row=length.quantised_bits / length.rows,
        coder_bits_per_row=length.coder_bits / length.rows,
        framing_bits_per_row=8 * length.framing_bytes / length.rows,
        quantisation_kl=length.quantisation_kl,
        overhead=length.overhead,
        escaped_rows=length.escaped_rows,
    )


def code_warnings(code: LabelsCode, rows: int, weight: str | None) -> list[Caution]:
    """Return what the report must say about the code beside its figures."""
    found = []
    if weight is not None:
        message = f"the code holds each label once: the weights in {weight!r} are no part of it"
        found.append(Caution(code="code_unweighted", message=message, rows=rows))
    if code.escaped_rows:
        message = "labels of probability 0 are coded as if it were 2^-24: 24 bits each"
        found.append(Caution(code="code_escaped", message=message, rows=code.escaped_rows))
    return found
