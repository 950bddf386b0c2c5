"""The labels of a table as bytes: really compressed with the model, and decoded again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plogq.codes import CodeError, ModelDecoder, ModelEncoder
from plogq.errors import TableError
from plogq.score.job import Job
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch, to_batch
from plogq.tables.columns import Columns
from plogq.tables.readers import Table

Progress = Callable[[int], None]


def refuse_code(columns: Columns, engine: str) -> None:
    """Refuse what no code of labels can be made of: before any work, and in one line."""
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


def code_labels(table: Table, job: Job, done: Progress) -> dict[str, Any]:
    """Compress the labels in the order of the table, then decode them along the table again.

    Two passes, each on one thread, with no more in memory than a batch and the compressed bytes.
    A label of probability 0 is escaped, and counted. The bytes depend on the rows alone, not on
    how they are split into files.

    Returns
    -------
    dict
        "bytes": all of them. In bits per row: "bits_per_row", of these bytes; "exact_bits_per_row",
        Σ −log₂ q(label) / rows, inf with escaped rows; and what makes the first out of the
        second: "quantised_bits_per_row", under the probabilities as the coder holds them,
        "coder_bits_per_row", what the coder wrote beyond that, and "framing_bits_per_row", the
        counts and checksums around it. "quantisation_kl": the mean D_KL(q ‖ q̂), what quantising
        is expected to cost. "overhead": bits_per_row / exact_bits_per_row − 1, None where that has
        no value. "escaped_rows".

    Raises
    ------
    TableError
        What is decoded is not what was coded: the table was changed meanwhile.
    """
    kind = job.columns.kind
    encoder = ModelEncoder(len(job.labels.classes), kind=kind, impossible="escape")
    for batch in _batches(table, job, done):
        encoder.encode(batch.target, coder_predictions(batch, job.columns))
    data, length = encoder.finish()
    _check(data, table, job, done)
    return {
        "bytes": length.bytes,
        "bits_per_row": length.bits_per_row,
        "exact_bits_per_row": length.exact_bits_per_row,
        "quantised_bits_per_row": length.quantised_bits / length.rows,
        "coder_bits_per_row": length.coder_bits / length.rows,
        "framing_bits_per_row": 8 * length.framing_bytes / length.rows,
        "quantisation_kl": length.quantisation_kl,
        "overhead": length.overhead,
        "escaped_rows": length.escaped_rows,
    }


def code_warnings(code: dict[str, Any], rows: int, weight: str | None) -> list[dict[str, Any]]:
    """Give what the report must say beside the figures."""
    found = []
    if weight is not None:
        message = f"the code holds each label once: the weights in {weight!r} are no part of it"
        found.append({"code": "code_unweighted", "message": message, "rows": rows})
    if code["escaped_rows"]:
        message = "labels of probability 0 are coded as if it were 2^-24: 24 bits each"
        found.append({"code": "code_escaped", "message": message, "rows": code["escaped_rows"]})
    return found


def _check(data: bytes, table: Table, job: Job, done: Progress) -> None:
    """Decode, and compare label by label."""
    decoder = ModelDecoder(data, kind=job.columns.kind)
    try:
        for batch in _batches(table, job, done):
            decoded = decoder.decode(coder_predictions(batch, job.columns))
            wrong = decoded != batch.target
            expected = "be what was coded a pass before (is the table being written?)"
            batch.part.check(job.columns.label, wrong, expected, lambda i, d=decoded: d[i])
        decoder.finish()
    except CodeError as error:
        raise TableError(f"{table.paths[0]}: changed while it was coded: {error}") from error


def _batches(table: Table, job: Job, done: Progress) -> Any:
    for part in table.parts(job.columns.read(), job.columns.types()):
        batch = to_batch(part, job.columns, job.labels)
        yield batch
        done(part.start + len(batch.target))


def coder_predictions(batch: Batch, columns: Columns) -> Array:
    """Give (n, C) predictions; of one binary column, those of both classes."""
    x = batch.predictions
    if columns.layout != "binary":
        return x
    x = x.astype(np.float64)
    if columns.kind == "logits":
        return np.column_stack([np.zeros_like(x), x])
    if columns.kind == "probs":
        return np.column_stack([1 - x, x])
    with np.errstate(divide="ignore"):  # log 0 = −inf is meant
        return np.column_stack([np.log(-np.expm1(x)), x])
