"""Results as records: typed, written as JSON, read back and checked.

pydantic reads them back, and makes the JSON schema; it is loaded when that is asked for.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from typing import Any, ClassVar, Self, cast

import numpy as np

from plogq.conditions import assert_all
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
    CELL
        The module and the function that show it in a notebook's cell, as "module:function". They
        belong to a higher layer, and are loaded when a notebook asks.
    """

    SCHEMA: ClassVar[int] = 1
    COMMAND: ClassVar[str]
    CELL: ClassVar[str] = ""

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
