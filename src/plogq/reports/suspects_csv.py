"""The rows whose labels are likely wrong, as a table for annotators."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from plogq.files import write_whole
from plogq.score.label_noise.result import LabelErrors

COLUMNS = ("label", "suggested", "probability", "surprisal")


def suspects_csv(found: LabelErrors) -> str:
    """Return the rows as the text of a CSV file, the most suspicious first."""
    named = any(each.id is not None for each in found.suspects)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id" if named else "row", *COLUMNS])
    for each in found.suspects:
        where = each.id if named else each.row
        writer.writerow([where, *(getattr(each, column) for column in COLUMNS)])
    return out.getvalue()


def write_suspects(found: LabelErrors, path: Path) -> None:
    """Write the rows to a CSV file, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written; names `path`.
    """
    write_whole(path, suspects_csv(found).encode())
