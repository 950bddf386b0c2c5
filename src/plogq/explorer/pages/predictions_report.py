"""A score's report inside the explorer: of a result, of a table, or of an example."""

from __future__ import annotations

import functools
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plogq.demo.run import TRAINING_ROWS, read_digits
from plogq.demo.train import random_start, train
from plogq.numpy import cross_entropy
from plogq.reports.document import to_document
from plogq.reports.findings import findings
from plogq.reports.findings.words import file_name
from plogq.score import Result, score

Report = dict[str, Any]

SUFFIXES = (".json", ".parquet", ".csv", ".arrow", ".feather", ".npz")


def report(result: Result | dict[str, Any]) -> Report:
    """Give what the front end draws a report from: the result's JSON, and its words.

    Raises
    ------
    ValueError
        If it is not a score's JSON; says which field, and what was expected.
    """
    document = to_document(result)
    return {"result": document, "findings": findings(document)}


def report_of_file(path: Path, name: str, **options: Any) -> Report:
    """Read a score's JSON, or score a table with `plogq.score.score`'s options.

    `name` is what the reader calls the file, in the report and in whatever is wrong with it.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if suffix_of(path.name) == ".json":
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name}: expected JSON, got {error}") from error
        try:
            return report(found)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    try:
        result = score(path, **options)
    except (ValueError, TypeError, OSError) as error:
        # Nobody knows the file by the name that it has here.
        raise ValueError(str(error).replace(str(path), name)) from error
    document = to_document(result)
    document["source"]["paths"] = [file_name(name)]
    return report(document)


def suffix_of(name: str) -> str:
    """Give what a file's name ends with.

    Raises
    ------
    ValueError
        If it is none that a result or a table has.

    Examples
    --------
    >>> suffix_of("Held out.CSV")
    '.csv'
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{name}: expected a name that ends with one of {', '.join(SUFFIXES)}")
    return suffix


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
