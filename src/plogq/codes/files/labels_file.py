"""The labels of a table, to code under its predictions and back."""

from __future__ import annotations

import gzip
import io
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.codes import CodeError, CodeLength, ModelDecoder, frequency_bits
from plogq.codes.files.labels import coder_predictions, encode_labels
from plogq.errors import TableError, refuse
from plogq.tables.batch import classes_of, to_batch
from plogq.tables.columns import Columns, find_columns, integer_names
from plogq.tables.formats.registry import WRITERS, ending_of
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.labels import Labels
from plogq.tables.predictions import Predictions, Progress
from plogq.tables.readers import open_table


class LabelsReport(NamedTuple):
    """What the labels of a table came to.

    Attributes
    ----------
    paths, taken
        The table's files, and what columns were taken for what.
    counts
        How often each class occurs.
    length
        What the code cost.
    frequency_bits
        What labels cost one by one, by how often they came before, with no model.
    data
        The code.
    """

    paths: list[str]
    taken: dict[str, object]
    counts: np.ndarray[Any, np.dtype[np.int64]]
    length: CodeLength
    frequency_bits: float
    data: bytes


def code_labels(
    source: Any,
    *,
    label: str = "label",
    logits: str | None = None,
    logprobs: str | None = None,
    probs: str | None = None,
    classes: Sequence[str] | None = None,
    text: TextOptions | None = None,
    escape: bool = False,
    progress: Progress | None = None,
) -> LabelsReport:
    """Code the labels of a table under its predictions, row by row, and decode them again.

    Parameters
    ----------
    source, label, logits, logprobs, probs, classes
        As for `plogq.score.score`; labels are classes, one in each row.
    text
        How a text table is written, as `plogq.tables.formats.text_options` has it.
    escape
        Code labels of probability 0 at 24 bits, and count them; else the first is refused.
    progress
        Called with rows done, and in all where that is known.

    Raises
    ------
    TableError
        What is wrong with the table, by file, column and row.
    """
    table = open_table(source, text)
    columns = _columns(table, label, logits, logprobs, probs, classes)
    if columns.labels != "class":
        expected = "hold one class in each row, to be coded"
        refuse(f"{table.paths[0]}: column {label!r}", expected, columns.labels, error=TableError)
    coded = encode_labels(Predictions(table, columns), "escape" if escape else "refuse", progress)
    bits = frequency_bits(coded.counts)
    return LabelsReport(table.paths, columns.taken(), coded.counts, coded.length, bits, coded.data)


def decode_labels(
    data: bytes,
    source: Any,
    *,
    name: str = "data",
    logits: str | None = None,
    logprobs: str | None = None,
    probs: str | None = None,
    classes: Sequence[str] | None = None,
    text: TextOptions | None = None,
    progress: Progress | None = None,
) -> pa.Array:
    """Give the labels that `code_labels` coded, in the order of the rows.

    Parameters
    ----------
    data, name
        The code, and what errors call it.
    source, logits, logprobs, probs, classes, text
        The predictions it was coded under. The table needs no labels.

    Returns
    -------
    pyarrow.Array
        Names of classes; integers where names are integers, or there are none.

    Raises
    ------
    CodeError
        A code that is damaged or something else, or was made under other predictions.
    TableError
        What is wrong with the table.
    """
    table = open_table(source, text)
    unused = _unused(table.schema.names)
    seen = types.SimpleNamespace(
        paths=table.paths,
        format=table.format,
        schema=table.schema.append(pa.field(unused, pa.string())),
    )
    columns = _columns(seen, unused, logits, logprobs, probs, classes)
    decoder, decoded, names = None, [], None
    try:
        for part in table.parts(list(columns.names), columns.types()):
            if decoder is None:
                names = classes_of(part, columns)
                decoder = ModelDecoder(data, kind=columns.kind)
            assert names is not None
            no_labels = pa.array([names[0]] * part.batch.num_rows)
            part = part._replace(batch=part.batch.append_column(unused, no_labels))
            batch = to_batch(part, columns, Labels(names, columns))
            decoded.append(decoder.decode(coder_predictions(batch, columns)))
            if progress is not None:
                progress(part.start + part.batch.num_rows, table.rows)
        (decoder or ModelDecoder(data)).finish()
    except CodeError as error:
        raise CodeError(f"{name}: {error}") from error
    labels = np.concatenate([np.zeros(0, np.int64), *decoded])
    if columns.classes is None:
        return pa.array(labels)
    integers = integer_names(columns.classes) == "all"  # then labels are read as integers, too
    values = pa.array([int(x) for x in columns.classes] if integers else columns.classes)
    return values.take(pa.array(labels))


def check_labels_path(path: Path) -> None:
    """Refuse a path that names no format of tables, before there are labels to write."""
    if ending_of(path.name) not in WRITERS:
        refuse("--out", f"end in one of {', '.join(WRITERS)}, for labels", str(path))


def labels_table(labels: pa.Array, path: Path) -> bytes:
    """Give the labels as a table of one column, of the format that the path names."""
    check_labels_path(path)
    table = pa.table({"label": labels})
    sink = io.BytesIO()
    end = ending_of(path.name) or ""
    WRITERS[end](table, sink)
    data = sink.getvalue()
    return gzip.compress(data, mtime=0) if end.endswith(".gz") else data


def _columns(
    table: Any,
    label: str,
    logits: str | None,
    logprobs: str | None,
    probs: str | None,
    classes: Sequence[str] | None,
) -> Columns:
    return find_columns(
        table,
        label=label,
        logits=logits,
        logprobs=logprobs,
        probs=probs,
        classes=classes,
    )


def _unused(names: Sequence[str]) -> str:
    name = "(labels decoded)"  # it is among the columns in messages
    while name in names:
        name += "_"
    return name
