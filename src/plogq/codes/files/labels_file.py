"""The labels of a table, coded under its predictions, and decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.codes import CodeError, CodeLength, ModelDecoder, frequency_bits
from plogq.codes.files.labels import coder_predictions, encode_labels
from plogq.errors import TableError, refuse
from plogq.tables.batch import classes_of, to_batch
from plogq.tables.class_names import integer_names
from plogq.tables.columns import find_columns
from plogq.tables.first_look import first_look
from plogq.tables.formats.registry import WRITERS, ending_of, writer_to
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.labels import Labels
from plogq.tables.predictions import Predictions, Progress
from plogq.tables.readers import Part, open_table
from plogq.tables.unlabelled import Unlabelled


class LabelsReport(NamedTuple):
    """The result of coding the labels of a table.

    Attributes
    ----------
    paths, taken
        The files of the table, and the roles of its columns.
    counts
        The number of labels of each class.
    length
        The length of the code, and its parts.
    frequency_bits
        The cost of the labels by how often they came before, without a model.
    data
        The code.
    notes, warnings
        How the table was read, and warnings where it may mean something else.
    """

    paths: list[str]
    taken: dict[str, str | tuple[str, ...]]
    counts: np.ndarray[Any, np.dtype[np.int64]]
    length: CodeLength
    frequency_bits: float
    data: bytes
    notes: list[str]
    warnings: list[str]


def code_labels(
    source: Any,
    *,
    label: str | Sequence[str] | None = None,
    text: TextOptions | None = None,
    escape: bool = False,
    progress: Progress | None = None,
    **model: Any,
) -> LabelsReport:
    """Code the labels of a table under its predictions, row by row, and decode them as a check.

    Parameters
    ----------
    source, label
        As for `plogq.score.score`; labels are classes, one in each row.
    text
        How a text table is written: an option of `plogq.tables.formats.text_options`.
    escape
        Code labels of probability 0 with 24 bits, and count them; else the first is refused.
    progress
        Called with the rows done, and with all rows if their number is known.
    **model
        As for `score`: logits, logprobs or probs, exclude, classes, chosen, normalise.

    Raises
    ------
    TableError
        If something is wrong with the table; the message names file, column and row.
    """
    table = open_table(source, text)
    columns = replace(find_columns(table, label=label, **model), may_ignore=False)
    if columns.labels != "class":
        expected = "hold one class in each row, to be coded"
        where = f"{table.paths[0]}: column {columns.label!r}"
        refuse(where, expected, columns.labels, error=TableError)
    predictions = Predictions(table, columns)
    coded = encode_labels(predictions, "escape" if escape else "refuse", progress)
    bits = frequency_bits(coded.counts)
    return LabelsReport(
        table.paths,
        columns.taken(),
        coded.counts,
        coded.length,
        bits,
        coded.data,
        list(predictions.origin().notes),
        [warning.message for warning in predictions.warnings(coded.length.rows)],
    )


def decode_labels(
    data: bytes,
    source: Any,
    *,
    name: str = "data",
    text: TextOptions | None = None,
    progress: Progress | None = None,
    **model: Any,
) -> pa.Array:
    """Give the labels that `code_labels` coded, in the order of the rows.

    Parameters
    ----------
    data, name
        The code, and its name in errors.
    source, text, **model
        The predictions under which it was coded, as for `code_labels`. The table needs no labels.

    Returns
    -------
    pyarrow.Array
        The names of the classes; integers if all names are integers, or if there are no names.

    Raises
    ------
    CodeError
        If the code is damaged, something else, or made under other predictions.
    TableError
        If something is wrong with the table.
    """
    table = Unlabelled(open_table(source, text))
    columns = table.columns(**model)

    def parts() -> Iterator[Part]:
        return table.parts(columns.read(), columns.types())

    decoder, decoded = None, []
    try:
        if (first := next(parts(), None)) is not None:
            names = classes_of(first, columns)
            columns = first_look(parts(), columns, Labels(names, columns))  # as in `code_labels`
            labels, decoder = Labels(names, columns), ModelDecoder(data, kind=columns.kind)
            for part in parts():
                rows = coder_predictions(to_batch(part, columns, labels), columns)
                decoded.append(decoder.decode(rows))
                if progress is not None:
                    progress(part.start + part.batch.num_rows, table.rows)
        (decoder or ModelDecoder(data)).finish()
    except CodeError as error:
        raise CodeError(f"{name}: {error}") from error
    found = pa.array(np.concatenate([np.zeros(0, np.int64), *decoded]))
    if columns.classes is None:
        return found
    integers = integer_names(columns.classes) == "all"  # a score reads such labels as integers, too
    values = pa.array([int(x) for x in columns.classes] if integers else columns.classes)
    return values.take(found)


def check_labels_path(path: Path) -> None:
    """Refuse a path whose ending names no format of tables."""
    if ending_of(path.name) not in WRITERS:
        refuse("--out", f"end in one of {', '.join(WRITERS)}, for labels", str(path))


def labels_table(labels: pa.Array, path: Path) -> bytes:
    """Give the bytes of a table of one column, the labels, in the format that the path names."""
    check_labels_path(path)
    table = pa.table({"label": labels})
    sink = io.BytesIO()
    with writer_to(sink, ending_of(path.name) or "", table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
