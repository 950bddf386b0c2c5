"""Results as records: typed, written as JSON, read back and checked.

pydantic reads them back, and makes the JSON schema; it is loaded when that is asked for.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from itertools import chain
from typing import Any, ClassVar, Self, cast

import numpy as np

from plogq.conditions import assert_all
from plogq.errors import refuse
from plogq.extras import needed_by
from plogq.kinds import TAGS, Count, Names, OfAnotherKindError, Text

LONGEST = 60  # characters of a wrong value that a message shows

# What was expected, by the type of an error of pydantic's own; a `Kind` says it itself.
EXPECTED = {
    "dataclass_type": "an object",
    "dict_type": "an object",
    "mapping_type": "an object",
    "tuple_type": "a list",
    "too_short": "at least {min_length} items",
    "too_long": "{max_length} items",
    "literal_error": "{expected}",
}


def to_json(value: Any) -> str:
    """Return a value as JSON text; infinities, which JSON lacks, are "inf" and "-inf"."""
    return json.dumps(encoded(value), indent=1, allow_nan=False)


def encoded(value: Any) -> Any:
    """Return a value in the types of JSON: infinities are texts, NaN is null.

    A dataclass becomes an object with the names of its fields. A value of another type (an id may
    be a date, a decimal, or bytes) becomes its text.

    Examples
    --------
    >>> encoded({"p": np.array([0.5, np.inf]), "n": np.int64(3), "ok": True})
    {'p': [0.5, 'inf'], 'n': 3, 'ok': True}
    """
    match value:
        case float() if not math.isfinite(value):
            return None if math.isnan(value) else "inf" if value > 0 else "-inf"
        case str() | int() | float() | None:
            return value
        case dict():
            return {str(name): encoded(item) for name, item in value.items()}
        case list() | tuple():
            return [encoded(item) for item in value]
        case np.ndarray() | np.generic():
            return encoded(value.tolist())
    if is_dataclass(value):
        return {each.name: encoded(getattr(value, each.name)) for each in fields(value)}
    return str(value)


def shown_by(what: str, result: object) -> str:
    """Return what a function of a higher layer, named as "module:function", gives of a result."""
    module, _, function = what.partition(":")
    shown: str = getattr(import_module(module), function)(result)
    return shown


@dataclass(frozen=True)
class Document:
    """The answer of a command: a record that is written as JSON, and read back.

    Attributes
    ----------
    SCHEMA
        The version of its fields, written as "schema".
    COMMAND
        The command that gives it, by which a message names it.
    CELL, TEXT, PAGE
        The module and the function, as "module:function", that show it in a notebook's cell, as
        plain text, and as a page of HTML. They belong to a higher layer, and are loaded when one
        of these is asked for; "" where there is none.
    """

    SCHEMA: ClassVar[int] = 1
    COMMAND: ClassVar[str]
    CELL: ClassVar[str] = ""
    TEXT: ClassVar[str] = ""
    PAGE: ClassVar[str] = ""
    NAMED: ClassVar[tuple[str, ...]] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the result as an object of JSON; infinities are "inf" and "-inf"."""
        return {"schema": self.SCHEMA, **encoded(self)}

    def to_json(self) -> str:
        """Return the result as JSON text; infinities, which JSON lacks, are "inf" and "-inf"."""
        return to_json(self.to_document())

    def check(self, *conditions: str) -> None:
        """Assert that conditions hold, such as "cross_entropy <= 0.2 bits": for tests.

        Raises
        ------
        AssertionError
            One does not hold; the message says what the figure is.
        ValueError
            There is no such figure, it was not computed, or it is in another unit.
        """
        assert_all(self, conditions)

    def _repr_html_(self) -> str | None:
        """Return the result as a notebook's cell shows it; None for plain text."""
        return shown_by(self.CELL, self) if self.CELL else None

    def _repr_mimebundle_(self, **asked: Any) -> dict[str, str]:
        """Return the result as plain text and, where there is a cell, as HTML."""
        shown = self._repr_html_()
        return {"text/plain": str(self)} | ({} if shown is None else {"text/html": shown})

    def __str__(self) -> str:
        """Return the result as plain text: the first screen of its report."""
        return shown_by(self.TEXT, self) if self.TEXT else repr(self)

    def html(self) -> str:
        """Return the whole report as an HTML page that needs no other file.

        Where a command has no such page, it is the first screen, as a notebook's cell shows it.

        Raises
        ------
        TypeError
            The command has neither.
        """
        if not (self.PAGE or self.CELL):
            refuse("html", "be asked of a report", f"the answer of {self.COMMAND}", error=TypeError)
        return shown_by(self.PAGE or self.CELL, self)

    def metrics(self) -> dict[str, float]:
        """Return every number that stands once in the result, by its path of names.

        The numbers of tables (of each class, row or slice) are what `to_frame` returns, but for
        those of the models of a comparison, and of their differences. What is not known is absent;
        the ends of an interval are "….low" and "….high".

        Examples
        --------
        >>> from plogq.score import score
        >>> found = score([0, 1], [[0.5, 0.5], [0.25, 0.75]]).metrics()
        >>> found["label_entropy"], found["accuracy"], found["temperature.rows"]
        (1.0, 1.0, 2.0)
        """
        named = (
            pair
            for table in self.NAMED
            for name, record in getattr(self, table).items()
            for pair in _scalars(record, f"{table}.{name}.")
        )
        return {
            name: float(value)
            for name, value in chain(_scalars(self), named)
            if isinstance(value, int | float) and not isinstance(value, bool)
        }

    def to_frame(self, name: str) -> Any:
        """Return a table of the result, such as "per_class", as a `pyarrow.Table`.

        Its `to_pandas()` is a frame of pandas, and `polars.from_arrow` makes one of polars. A table
        by names has them in the column "name"; one by columns and values, in "column" and "name".

        Raises
        ------
        ValueError
            The result has no such table; the message lists those it has.

        Examples
        --------
        >>> from plogq.score import score
        >>> score([0, 1], [[0.5, 0.5], [0.25, 0.75]]).to_frame("per_class")["accuracy"].to_pylist()
        [1.0, 1.0]
        """
        tables = {each.name: rows for each in fields(self)
                  if (rows := _rows(getattr(self, each.name))) is not None}  # fmt: skip
        if name not in tables:
            refuse("name", f"be one of {', '.join(tables) or 'no tables'}", repr(name))
        with needed_by("to_frame"):
            import pyarrow as pa
        return pa.table({key: _column(values) for key, values in _columns(tables[name]).items()})

    @classmethod
    def read(cls, document: Any) -> Self:
        """Return the result that an object of JSON holds.

        Raises
        ------
        ValueError
            It is not the JSON of the command; the message says which field, and what was expected.
            Fields that earlier versions did not write may be absent, and later versions may write
            more.
        """
        found = document.get("schema") if isinstance(document, Mapping) else document
        if not isinstance(document, Mapping) or found != cls.SCHEMA:
            error = wrong("schema", str(cls.SCHEMA), found)
            raise ValueError(f"{error}; is this the JSON of {cls.COMMAND}?")
        with needed_by("reading a result"):
            from pydantic import ValidationError
        try:
            result: Self = _adapter(cast(Any, cls)).validate_python(dict(document))
        except ValidationError as error:
            raise ValueError(_said(dict(error.errors(include_url=False)[0]))) from None
        return result

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of the result, with what each field means."""
        with needed_by("a JSON schema"):
            from pydantic import ConfigDict, TypeAdapter
        # A dataclass without a configuration takes that of the type that contains it.
        config = ConfigDict(use_attribute_docstrings=True)
        parts = TypeAdapter(tuple[cls], config=config).json_schema()["$defs"]  # type: ignore[valid-type]
        record = parts.pop(cls.__name__)
        version = {"const": cls.SCHEMA, "description": "The version of these fields."}
        record["properties"] = {"schema": version, **record["properties"]}
        record["required"] = ["schema", *record["required"]]
        return {**record, "title": cls.COMMAND, "$defs": parts}


Row = dict[str, Any]


def _scalars(record: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a record that are no lists, those of its inner records by path."""
    items = record.items() if isinstance(record, dict) else (
        (each.name, getattr(record, each.name)) for each in fields(record)
    )  # fmt: skip
    for name, value in items:
        if is_dataclass(value) or (isinstance(value, dict) and not _is_table(value)):
            yield from _scalars(value, f"{at}{name}.")
        elif isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value)):
            yield from zip((f"{at}{name}.low", f"{at}{name}.high"), value, strict=True)
        elif value is None or isinstance(value, str | int | float):
            yield f"{at}{name}", value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_table(by_name: dict[Any, Any]) -> bool:
    return any(is_dataclass(value) or isinstance(value, dict) for value in by_name.values())


def _rows(value: Any) -> list[Row] | None:
    """Return a field that holds records as rows; None where it holds something else."""
    match value:
        case tuple() if value and all(map(is_dataclass, value)):
            return [dict(_scalars(each)) for each in value]
        case dict() if value and all(map(is_dataclass, value.values())):
            return [{"name": name} | dict(_scalars(each)) for name, each in value.items()]
        case dict() if _is_table(value):
            return [{"column": name} | row for name, of in value.items() for row in _rows(of) or []]
    return None


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    """Return rows as columns; a field that is an interval in some rows is one in all."""
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if f"{name}.low" not in names]
    return {name: [row.get(name) for row in rows] for name in kept}


def _column(values: list[Any]) -> list[Any]:
    """Return values of one type: texts, if any of them is one."""
    if not any(isinstance(value, str) for value in values):
        return values
    return [value if value is None else str(value) for value in values]


@dataclass(frozen=True)
class Source:
    """Which files were read, and how."""

    paths: tuple[Text, ...]
    """The files, or the name of what was in memory; at least one."""

    format: Text = ""
    """The format that the files were read as."""

    columns: dict[Text, Names] = field(default_factory=dict)
    """Which column, or columns, were taken for what."""

    notes: tuple[Text, ...] = ()
    """Sentences on how the files were read."""

    part: Text | None = None
    """The part of the responses whose tokens were scored; null where there are no responses."""

    left_out: tuple[Text, ...] = ()
    """The files of a folder of logs that were not read."""

    def __post_init__(self) -> None:
        """Refuse a source without files."""
        if not self.paths:
            raise wrong("paths", "at least 1 item", [])


READING = "reading"  # the code of a caution that the table may mean something else


@dataclass(frozen=True, kw_only=True)
class Caution:
    """A warning of a result."""

    code: Text = ""
    """The name of the warning, for programs."""
    message: Text
    """The warning, without a full stop."""
    rows: Count
    """How many rows it is about."""


@functools.cache
def _adapter(record: Any) -> Any:
    """Return pydantic's reader of a type of record; it takes a while to make, and is kept."""
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    return SchemaValidator(_first_error(TypeAdapter(record).core_schema))


def _first_error(schema: Any) -> Any:
    """Return pydantic's schema, whose lists and objects stop at the first item that is wrong.

    One error is told. The errors of millions of items would fill the memory first.
    """
    if isinstance(schema, list):
        return [_first_error(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    stops = {"fail_fast": True} if schema.get("type") in ("tuple", "dict") else {}
    return {key: _first_error(value) for key, value in schema.items()} | stops


def wrong(at: str, expected: str, found: Any) -> ValueError:
    """Return the error of a field that holds something else."""
    try:
        shown = repr(found)
    except (RecursionError, ValueError):  # nested too deep, or a number of too many digits
        shown = f"a value of type {type(found).__name__}"
    shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return ValueError(f"{at}: expected {expected}, got {shown}")


def _said(error: dict[str, Any]) -> str:
    """Return the message of one of pydantic's errors."""
    at = ""
    for part in (each for each in error["loc"] if each not in TAGS):
        at += f"[{part}]" if isinstance(part, int) else f".{part}" if at else str(part)
    if error["type"] == "missing":
        return f"{at}: expected, and not there"
    own = error.get("ctx", {}).get("error")
    if isinstance(own, OfAnotherKindError):
        return str(wrong(at, str(own), error["input"]))
    if own is not None:  # the error of a record's own check, which names the field
        return f"{at}.{own}" if at else str(own)
    said = EXPECTED.get(error["type"])
    expected = error["msg"] if said is None else said.format_map(error.get("ctx", {}))
    return str(wrong(at, expected, error["input"]))
