"""A score's report inside the explorer: of a result, of a table, or of an example."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plogq.demo.run import TRAINING_ROWS, read_digits
from plogq.demo.train import random_start, train
from plogq.numpy import cross_entropy
from plogq.records import encoded
from plogq.reports.findings import findings
from plogq.reports.findings.words import file_name
from plogq.score import Result, score
from plogq.tables.formats.registry import FORMATS, SAID, ending_of

Report = dict[str, Any]

RESULT = ".json"
ENDINGS = tuple(FORMATS)  # of files that are shown: tables, and results as .json


def report(result: Result | dict[str, Any]) -> Report:
    """Give the data from which the front end draws a report: the result's JSON, and its words.

    Raises
    ------
    ValueError
        If it is not a score's JSON; says which field, and what was expected.
    """
    typed = result if isinstance(result, Result) else Result.read(result)
    return {"result": typed.to_document(), "findings": encoded(findings(typed))}


def report_of_file(path: str | Path, name: str, **options: Any) -> Report:
    """Read a score's JSON, or score a table with `plogq.score.score`'s options.

    `path` is any that `score` takes, or that of a result on this machine. `name` is the file's name
    as the reader knows it; the report and the error messages use it.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if str(path).lower().endswith(RESULT) and (found := _result(path)) is not None:
        try:
            return report(found)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    try:
        result = score(path, **options)
    except (ValueError, TypeError, OSError) as error:
        # The reader does not know the file by the name of its temporary copy.
        raise ValueError(str(error).replace(str(path), name)) from error
    return report(replace(result, source=replace(result.source, paths=(file_name(name),))))


def _result(path: str | Path) -> dict[str, Any] | None:
    """Give the JSON of a score; None for a table, whatever is wrong with it."""
    try:
        found = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError, OSError):  # a record a line, another encoding, a folder, …
        return None
    is_result = isinstance(found, dict) and "schema" in found and "data" not in found
    return found if is_result else None


def known_ending(name: str) -> str:
    """Give what a file's name ends with.

    Raises
    ------
    ValueError
        If it is none that a result or a table has.

    Examples
    --------
    >>> known_ending("Held out.CSV.gz")
    '.csv.gz'
    """
    end = ending_of(name)
    if end is None:
        raise ValueError(f"{name}: expected a name that ends with one of {SAID}")
    return end


def example_table() -> dict[str, Any]:
    """Give the logits of a small model for digits that it has not seen, and their labels."""
    digits = read_digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(digits.labels))
    training, held_out = digits.take(order[:TRAINING_ROWS]), digits.take(order[TRAINING_ROWS:])
    start = random_start(digits.pixels.shape[1], 10, rng)
    loss = partial(cross_entropy, return_grad=True)
    *_, last = train(start, training.pixels, training.labels, loss, rng, epochs=30)
    return {"logits": last.model.logits(held_out.pixels), "labels": held_out.labels}


@functools.cache
def example() -> Report:
    """Give the report of the example: trained and scored when it is first asked for."""
    return report(score(example_table()))
