"""An ARFF file, as Weka and OpenML write them: its attributes, then rows as in CSV."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.tables.formats.csv import CsvFile
from plogq.tables.formats.dialect import Dialect, decoded, find_encoding

QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
ATTRIBUTE = re.compile(rf"@attribute\s+({QUOTED}|[^\s{{]+)\s*(.*)", re.IGNORECASE | re.DOTALL)
VALUE = re.compile(rf"\s*({QUOTED}|[^,]*?)\s*(?:,|$)")
NUMERIC = ("numeric", "real", "integer")


def _skip_comment(row: Any) -> str:
    return "skip" if row.text.lstrip().startswith("%") else "error"


class ArffFile(CsvFile):
    """An ARFF file. The values of a nominal attribute are in the metadata of its field."""

    format = "ARFF"
    options: ClassVar[tuple[str, ...]] = ("encoding",)
    missing: ClassVar = ["?"]
    more_parsing: ClassVar = {"escape_char": "\\", "invalid_row_handler": _skip_comment}

    def _look(self, head: bytes, whole: bool) -> Dialect:
        encoding = find_encoding(self.path, head, whole, self.text.encoding)
        self._types: dict[str, pa.Field] = {}
        rows, lines = [], decoded(self.path, head, whole, encoding).split("\n")
        for i, line in enumerate(lines):
            word = line.split(None, 1)[0].lower() if line.strip() else ""
            if found := ATTRIBUTE.match(line.strip()):
                self._add(*found.groups())
            elif word == "@data":
                rows = [row.strip() for row in lines[i + 1 :] if row.strip()[:1] not in ("", "%")]
                break
        else:
            refuse(self.path, "declare its attributes, and then its @data, at its head",
                   "no @data", error=TableError)  # fmt: skip
        if not self._types:
            refuse(self.path, "declare an @attribute for each column", "none", error=TableError)
        if rows and rows[0].startswith("{"):
            refuse(self.path, "have dense rows (Weka: the filter SparseToNonSparse)",
                   f"sparse ones: {rows[0][:40]}", error=TableError)  # fmt: skip
        quote = "'" if any("'" in row for row in rows) else '"'
        delimiter = "\t" if rows and "\t" in rows[0] and "," not in rows[0] else ","
        return Dialect(
            encoding, delimiter, quote, skip=i + 1, names=tuple(self._types), blanks=True
        )

    def _add(self, name: str, kind: str) -> None:
        name, kind = _bare(name), kind.strip()
        if name in self._types:
            refuse(self.path, "have a name for each attribute of its own", name, error=TableError)
        if kind.startswith("{") and "}" in kind:
            values = [_bare(value) for value in VALUE.findall(kind[1 : kind.rindex("}")]) if value]
            metadata = {"classes": json.dumps(values)}
            self._types[name] = pa.field(name, pa.string(), metadata=metadata)
        elif kind.lower().split()[:1] and kind.lower().split()[0] in NUMERIC:
            self._types[name] = pa.field(name, pa.float64())
        else:
            self._types[name] = pa.field(name, pa.string())

    def _find_schema(self) -> pa.Schema:
        found = super()._find_schema()
        declared = self._types.values()
        # Whole numbers stay integers: they may be labels.
        return pa.schema([
            found.field(field.name) if pa.types.is_floating(field.type) else field
            for field in declared
        ])  # fmt: skip


def _bare(text: str) -> str:
    """Return a name or value without its quotes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
