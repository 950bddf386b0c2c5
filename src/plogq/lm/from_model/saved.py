"""The table of tokens that a run saves, in parts until it is complete, from which a run goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from plogq.errors import TableError, refuse
from plogq.files import check_output, whole_file, write_whole

KEY = b"plogq.lm"  # of the metadata that hold the settings
SETTINGS = "settings.json"


class Saved:
    """A table that is being saved: a file in the end, and until then a folder of parts beside it.

    A part is written whole or not at all and is named by its first row, so that a run that was
    stopped at any moment leaves the rows 0 to n.

    Parameters
    ----------
    path
        The file, which ends in .parquet.
    settings
        All that the rows depend on, by the names of arguments; rows of others are not taken.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        check_ending(path)
        check_output(path)
        self._path, self._settings = path, settings
        self._folder = path.with_name(f"{path.name}.part")
        self._rows = 0
        self._parts: list[Path] = []
        self.complete = _settings_of(path) == settings
        if not self.complete:
            self._open_folder()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._rows

    def _open_folder(self) -> None:
        note = self._folder / SETTINGS
        if note.exists():
            _check_same(self._folder, json.loads(note.read_text()), self._settings)
        else:
            self._folder.mkdir(exist_ok=True)
            write_whole(note, json.dumps(self._settings, indent=1).encode())
        while (part := self._folder / f"{self._rows:012}.parquet").exists():
            self._parts.append(part)
            self._rows += pq.read_metadata(part).num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows that there are."""
        for path in [self._path] if self.complete else list(self._parts):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches():
                    yield batch.replace_schema_metadata(None)

    def add(self, batches: list[pa.RecordBatch]) -> None:
        """Write a part behind those that there are."""
        table = pa.Table.from_batches(batches)
        path = self._folder / f"{self._rows:012}.parquet"
        with whole_file(path) as file:
            pq.write_table(table, file, compression="zstd")
        self._parts.append(path)
        self._rows += table.num_rows

    def finish(self) -> None:
        """Write the file from its parts, and remove these."""
        if self.complete:
            return
        schema = pq.read_schema(self._parts[0])
        schema = schema.with_metadata({KEY: json.dumps(self._settings)})
        with (
            whole_file(self._path) as file,
            pq.ParquetWriter(file, schema, compression="zstd") as to,
        ):
            for batch in self.batches():
                to.write_batch(batch.replace_schema_metadata(schema.metadata))
        shutil.rmtree(self._folder)
        self.complete = True


def check_ending(path: Path) -> None:
    """Refuse a name that is not of a Parquet file."""
    if path.suffix.lower() not in (".parquet", ".pq"):
        refuse("save", "end in .parquet", path.name)


def _settings_of(path: Path) -> Any:
    """Return the settings that a file was written with; None where it is no such file."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        return json.loads(metadata.get(KEY, b"null"))
    except (OSError, pa.ArrowException, ValueError):
        return None


def _check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    other = [name for name in now if before.get(name) != now[name]]
    if not other:
        return
    shown = [
        f"{name} {before.get(name)}" if len(str(before.get(name))) < 30 else f"another {name}"
        for name in other
    ]
    raise TableError(
        f"{folder}: holds the beginning of a run with {', '.join(shown)}: give the same to go on, "
        "or remove the folder to begin anew"
    )
