"""Columns of records, such as {"cat": 0.7, "dog": 0.3}: a column for each of their fields."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse

Inner = dict[str, tuple[str, ...]]  # columns inside of others, and the way to each


def inner_columns(schema: pa.Schema) -> Inner:
    """Return the fields of all records, named with points, and the way to each.

    Examples
    --------
    >>> inner_columns(pa.schema([("cats", pa.struct([("a", pa.float64())])), ("y", pa.int8())]))
    {'cats.a': ('cats', 'a')}
    """
    if not any(map(types.is_struct, schema.types)):
        return {}
    own = set(schema.names)
    found: Inner = {}
    for field in schema:
        for way in _ways(field):
            if len(way) > 1 and (name := ".".join(way)) not in own:
                found.setdefault(name, way)
    return found


def is_sparse(kind: pa.DataType) -> bool:
    """Return whether a type is a sparse vector, as Spark has it: values, and their indices."""
    return types.is_struct(kind) and {"indices", "values"} <= {field.name for field in kind}


def _ways(field: pa.Field) -> list[tuple[str, ...]]:
    if not types.is_struct(field.type) or is_sparse(field.type):
        return [(field.name,)]
    return [(field.name, *way) for inner in field.type for way in _ways(inner)]


def flat_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema with the fields of records in place of the records."""
    inner = inner_columns(schema)
    if not inner:
        return schema
    fields: list[pa.Field] = []
    for field in schema:
        names = [name for name, way in inner.items() if way[0] == field.name]
        fields += [pa.field(name, type_of(schema, inner[name])) for name in names] or [field]
    return pa.schema(fields)


def names_of(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, and of the fields of records; Arrow decodes them here."""
    return list(flat_schema(schema).names)


def type_of(schema: pa.Schema, way: tuple[str, ...]) -> pa.DataType:
    """Return the type of a field of records."""
    kind = schema.field(way[0]).type
    for name in way[1:]:
        kind = kind.field(name).type
    return kind


def add_inner(path: str, batch: pa.RecordBatch, schema: pa.Schema, inner: Inner) -> pa.RecordBatch:
    """Return a batch with fields of its records as columns; refuse fields not in the schema."""
    from pyarrow import compute as pc  # it takes long to load

    for name, way in inner.items():
        column, known = batch.column(way[0]), schema.field(way[0]).type
        for step in way[1:]:
            others = {field.name for field in column.type} - {field.name for field in known}
            if others:
                where = f"{path}: column {way[0]!r}"
                refuse(where, "have the same fields in each row, as in the first ones",
                       f"also {', '.join(sorted(others)[:3])}", error=TableError)  # fmt: skip
            known = known.field(step).type
            there = column.type.get_field_index(step) >= 0
            column = pc.struct_field(column, [step]) if there else pa.nulls(len(column), known)
        batch = batch.append_column(name, column)
    return batch
