"""A table cut into runs of pieces, which other processes read by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.registry import TableFile
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Types
from plogq.tables.readers import File, Part, Table, open_file, parts_of


@dataclass(frozen=True)
class Partition:
    """Neighbouring pieces of one file, and where in the table they lie."""

    kind: type[TableFile]
    system: fs.FileSystem
    path: str
    text: TextOptions
    pieces: range | None  # row groups, or batches; None is the whole file
    row: int  # the row in the file at which the first of them begins
    start: int  # the row in the table at which the first of them begins
    rows: int | None  # how many there are; None where nobody has counted them

    def parts(self, columns: list[str], types: Types) -> Iterator[Part]:
        """Open the file and stream the pieces, on one thread.

        Raises
        ------
        TableError
            Also where the number of rows is not the one that was counted before.
        """
        file = open_file(self.kind, self.system, self.path, self.text)
        rows = 0
        for part in parts_of(
            file,
            columns,
            types,
            row=self.row,
            start=self.start,
            pieces=self.pieces,
            threads=False,
        ):
            rows += part.batch.num_rows
            yield part
        if self.rows is not None and rows != self.rows:
            expected = f"hold {self.rows} rows from row {self.row} on, as when it was opened"
            refuse(self.path, expected, rows, error=TableError)


class Pieces(NamedTuple):
    """A file, and the rows of each piece of it; None where nobody has counted them."""

    file: File
    rows: Sequence[int] | None


def files_of(table: Table) -> list[File]:
    """Return the files of a table, which any process can open.

    Raises
    ------
    TableError
        It is in memory.
    """
    if not all(hasattr(reader, "system") for reader in table.readers):
        raise TableError(
            f"{table.paths[0]}: what is held in memory cannot go to other processes: "
            "write it to Parquet first, or score it where it is (engine local)"
        )
    return cast(list[File], table.readers)


def plan(files: Sequence[Pieces], runs: int) -> list[list[Partition]]:
    """Cut the files into at most so many runs, about equal in rows; each piece in one of them.

    Files come in the order of the table. Only the last may be one that nobody has counted; it is
    a run of its own.
    """
    total = sum(sum(file.rows) for file in files if file.rows is not None)
    cut: dict[int, list[Partition]] = {}
    start = 0
    for file, rows in files:
        if rows is None:
            cut[runs] = [_partition(file, None, 0, start, None)]
            continue
        row = 0
        found: dict[int, list[int]] = {}
        for i, n in enumerate(rows):
            if n:
                found.setdefault((start + row) * runs // total, []).append(i)
            row += n
        row = 0
        for run, pieces in found.items():
            n = sum(rows[i] for i in pieces)
            span = range(pieces[0], pieces[-1] + 1)
            cut.setdefault(run, []).append(_partition(file, span, row, start + row, n))
            row += n
        start += row
    return [cut[run] for run in sorted(cut)]


def _partition(
    file: File, pieces: range | None, row: int, start: int, rows: int | None
) -> Partition:
    # Another process may run in another folder, where a relative path means another file.
    local = isinstance(file.system, fs.LocalFileSystem)
    path = str(Path(file.path).absolute()) if local else file.path
    kind = cast(type[TableFile], type(file))
    return Partition(kind, file.system, path, file.text, pieces, row, start, rows)
