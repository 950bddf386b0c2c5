"""What a field of a record may hold, beside its Python type.

Each kind is the annotation of a field. pydantic asks it how to check a value that was read, and
what to write into the JSON schema; nothing here loads pydantic before it asks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, get_args

MOST = 1 << 53  # up to here a float64, and so JavaScript, has every whole number
ROUNDED = 1e-9  # a share may be above 1 by rounding


class OfAnotherKindError(ValueError):
    """A value is not what its field holds; the message is what was expected."""


@dataclass(frozen=True, eq=False)  # hashed by identity: Python hashes annotations
class Kind:
    """A check of one value.

    Attributes
    ----------
    expected
        What the value should be, as an error message says it.
    read
        Returns the value as Python holds it, or None for a value that is not of this kind.
    schema
        The kind in JSON schema.
    """

    expected: str
    read: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's check of a value."""
        from pydantic import PlainValidator

        def check(value: Any) -> Any:
            found = self.read(value)
            if found is None:
                raise OfAnotherKindError(self.expected)
            return found

        return PlainValidator(check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Return the kind in JSON schema."""
        return dict(self.schema)


TAGS = ("<first>", "<second>")  # names for the types of `Either`, left out of a field's path


@dataclass(frozen=True, eq=False)
class Either:
    """One of two types of records: the first, if the record has the field that only it has.

    Attributes
    ----------
    field
        The name of that field.
    """

    field: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's check of a record."""
        from pydantic import Discriminator, Tag

        def tag(value: Any) -> str:
            return TAGS[0 if isinstance(value, Mapping) and self.field in value else 1]

        types = zip(get_args(source), TAGS, strict=True)
        first, second = (Annotated[each, Tag(name)] for each, name in types)
        return handler.generate_schema(Annotated[first | second, Discriminator(tag)])


def _finite(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # A whole number may be beyond the largest float; NaN compares as false.
    return float(value) if number and abs(value) <= sys.float_info.max else None


def _number(value: Any) -> float | None:
    return float(value) if value in ("inf", "-inf") else _finite(value)


def _positive(value: Any) -> float | None:
    number = _finite(value)
    return number if number is not None and number > 0 else None


def _share(value: Any) -> float | None:
    number = _finite(value)
    return number if number is not None and 0 <= number <= 1 + ROUNDED else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MOST else None


def _names(value: Any) -> str | tuple[str, ...] | None:
    if isinstance(value, list | tuple):
        return tuple(value) if all(isinstance(item, str) for item in value) else None
    return value if isinstance(value, str) else None


def _scalar(value: Any) -> str | int | float | None:
    return value if isinstance(value, str | int | float) else None


Text: TypeAlias = Annotated[
    str, Kind("a text", lambda value: value if isinstance(value, str) else None, {"type": "string"})
]
Flag: TypeAlias = Annotated[
    bool,
    Kind(
        "true or false",
        lambda value: value if isinstance(value, bool) else None,
        {"type": "boolean"},
    ),
]
Finite: TypeAlias = Annotated[float, Kind("a finite number", _finite, {"type": "number"})]
Number: TypeAlias = Annotated[
    float,
    Kind(
        'a number, "inf" or "-inf"',
        _number,
        {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf"]}]},
    ),
]
Positive: TypeAlias = Annotated[
    float, Kind("a number above 0", _positive, {"type": "number", "exclusiveMinimum": 0})
]
Share: TypeAlias = Annotated[
    float,
    Kind("a share from 0 to 1", _share, {"type": "number", "minimum": 0, "maximum": 1}),
]
Count: TypeAlias = Annotated[
    int,
    Kind(
        "a whole number from 0 to 2^53", _count, {"type": "integer", "minimum": 0, "maximum": MOST}
    ),
]
Scalar: TypeAlias = Annotated[
    str | int | float,
    Kind("a text or a number", _scalar, {"type": ["string", "number", "boolean"]}),
]
Names: TypeAlias = Annotated[
    str | tuple[str, ...],
    Kind(
        "a text or a list of texts",
        _names,
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    ),
]
Interval: TypeAlias = tuple[Number, Number]  # the lower and the upper end
