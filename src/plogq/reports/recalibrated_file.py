"""A recalibrated table as a file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plogq.errors import refuse
from plogq.files import whole_file
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.recalibrate import applied
from plogq.score.recalibrate import Recalibration
from plogq.score.recalibrated import RecalibratedTable
from plogq.tables.formats.registry import TEXT_ENDINGS, WRITERS, ending_of, writer_to
from plogq.tables.formats.text_options import text_options
from plogq.tables.predictions import Progress
from plogq.tables.readers import open_table


def check_ending(path: Path) -> None:
    """Refuse a path whose ending names no format that is written."""
    if ending_of(path.name) not in WRITERS:
        refuse("--out", f"end in one of {', '.join(WRITERS)}", str(path))


def write_recalibrated(
    source: Any,
    recalibration: Recalibration,
    path: Path,
    *,
    encoding: str | None,
    delimiter: str | None,
    decimal: str | None,
    header: list[str] | None,
    progress: Progress | None = None,
    **model: Any,
) -> tuple[Finding, list[str]]:
    """Write a table recalibrated; return what was done, and notes on how it was read."""
    table = open_table(source, text_options(encoding, delimiter, decimal, header))
    end, rows = ending_of(path.name) or "", 0
    recalibrated = RecalibratedTable(table, recalibration, flat=end in TEXT_ENDINGS, **model)
    with whole_file(path) as file, writer_to(file, end, recalibrated.schema) as writer:
        for batch in recalibrated.batches(progress):
            writer.write_batch(batch)
            rows += batch.num_rows
    return applied(recalibration, rows, str(path)), recalibrated.notes
