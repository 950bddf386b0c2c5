"""Whether a source is a log of token logprobs, questions with choices, or a table."""

from __future__ import annotations

import os
from typing import Any, Literal

from plogq.errors import TableError
from plogq.lm.readers.json_log import whole_records
from plogq.lm.readers.writers import writer_of
from plogq.tables.formats.harness import is_multiple_choice
from plogq.tables.formats.registry import ending_of
from plogq.tables.json_records import find_files, is_json, read_records
from plogq.tables.readers import reading

Kind = Literal["log", "questions", "table", "unknown"]


def kind_of(source: Any, doc: str = "doc", logprob: str = "logprob") -> Kind:
    """Return the kind, by the first record of a file or of a folder's first file.

    A table of tokens has the columns `doc` and `logprob`. JSON of no known kind, or none at all, is
    "unknown": the reader then says what is wrong with it.
    """
    if not isinstance(source, (str, os.PathLike)):
        return "table"
    path = os.fspath(source)
    unknown: Kind = "unknown" if is_json(path) else "table"
    try:
        with reading(path, "JSON"):
            files = find_files(path)
            names = [*files.paths, *files.others]
            if not files.paths or any(ending_of(name) and not is_json(name) for name in names):
                return "table"
            records = whole_records(read_records(files.system, files.paths[0]))
            first = next((record.value for record in records if record.value), None)
    except TableError:
        return unknown
    if first is None:
        return unknown
    if is_multiple_choice(first):
        return "questions"
    if writer_of(first) is not None:
        return "log"
    return "table" if {doc, logprob} <= first.keys() else unknown


def is_log(source: Any) -> bool:
    """Return whether a source is a log; so is JSON of an unknown kind that can be no table."""
    kind = kind_of(source)
    return kind == "log" or (kind == "unknown" and ending_of(os.fspath(source)) is None)
