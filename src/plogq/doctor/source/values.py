"""What an expression of a file is, as far as that is certain."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from plogq.doctor.source.apis import LossApi, What
from plogq.doctor.source.scopes import Function


@dataclass(frozen=True)
class Tensor:
    """A tensor of which it is known what its numbers are.

    Attributes
    ----------
    what
        What they are.
    made
        The call that gives them.
    given
        What that call is of, where it stands in it.
    inner
        What that is in turn.
    axis
        Along which axis, where it is written.
    units
        How many numbers a row has, where it is written.
    cast
        Whether the type of the numbers has been changed.
    tokens
        Whether positions and rows were made one axis, as (batch × length, classes).
    """

    what: What
    made: ast.Call
    given: ast.expr | None = None
    inner: Value = None
    axis: int | None = None
    units: int | None = None
    cast: bool = False
    tokens: bool = False


@dataclass(frozen=True)
class Layer:
    """A layer: what it makes of what it is given; "same" if that stays what it was."""

    out: What | None
    made: ast.Call
    same: bool = False
    axis: int | None = None
    units: int | None = None


@dataclass(frozen=True)
class Chain:
    """Layers, one after the other."""

    layers: tuple[Value, ...]


@dataclass(frozen=True)
class Graph:
    """A model that is made from its output."""

    output: Value


@dataclass(frozen=True)
class Instance:
    """An object of a class of this file."""

    of: ast.ClassDef


@dataclass(frozen=True)
class Routine:
    """A function of this file, maybe a method."""

    function: Function
    of: Value = None


@dataclass(frozen=True)
class ClassValue:
    """A class of this file."""

    of: ast.ClassDef


@dataclass(frozen=True)
class Criterion:
    """A loss that is waiting to be called, and the options that it was made with."""

    api: LossApi
    made: ast.Call
    options: dict[str, ast.expr] = field(compare=False)


@dataclass(frozen=True)
class Imported:
    """Something that was imported, by its qualified name."""

    name: str


@dataclass(frozen=True)
class Items:
    """A tuple or a list."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Fields:
    """A dictionary whose keys are written."""

    values: tuple[tuple[str, Value], ...]


Value: TypeAlias = (
    Tensor
    | Layer
    | Chain
    | Graph
    | Instance
    | Routine
    | ClassValue
    | Criterion
    | Imported
    | Items
    | Fields
    | None
)


def alike(values: list[Value]) -> Value:
    """Return what all values are; None if they are not all the same."""
    first = values[0] if values else None
    for each in values[1:]:
        if isinstance(each, Tensor) and isinstance(first, Tensor):
            if (each.what, each.units) != (first.what, first.units):
                return None
        elif each != first:
            return None
    return first


def reshaped(value: Value, *, cast: bool = False, units: bool = True) -> Value:
    """Return a value whose type, or whose shape, has changed."""
    if not isinstance(value, Tensor):
        return value
    return replace(value, cast=value.cast or cast, units=value.units if units else None)
