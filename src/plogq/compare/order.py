"""Whether rows may be paired by their order: not where ids in both tables show another order."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from plogq.compare.model import Model
from plogq.errors import TableError, refuse
from plogq.tables.arrays import as_numpy, as_texts
from plogq.tables.formats.wanted import HEAD_ROWS
from plogq.tables.readers import Table

NAMES = ("id", "idx", "index", "key", "uid", "uuid", "guid")


def refuse_other_order(a: Model, b: Model) -> list[str]:
    """Refuse rows whose ids are the same in both tables, in another order; return warnings.

    An id is any column of both that is different in every row of each. Only where the first rows
    differ are such columns read to the end.

    Raises
    ------
    TableError
        A column of both names the rows, and says that the i-th of one is not the i-th of the other.
    """
    one, other = a.predictions.table, b.predictions.table
    used = {*a.columns.read(), *b.columns.read()}
    there = set(other.schema.names)
    names = [
        name
        for name in one.schema.names
        if name in there and name not in used and _may_be_id(one, name) and _may_be_id(other, name)
    ]
    warnings = []
    for name in _that_differ(one, other, names):
        ids, theirs = (_texts(table, name) for table in (one, other))
        if not (_all_different(ids) and _all_different(theirs)):
            continue
        shared = pc.sum(pc.is_in(theirs, value_set=ids)).as_py() or 0
        if 2 * shared >= len(theirs):
            refuse(
                f"{b.path}: column {name!r}",
                f"be as in {a.path}, where rows are paired by their order; pair them with "
                f"--id {name}",
                _first_difference(ids, theirs),
                error=TableError,
            )
        if name.lower() in NAMES or name.lower().endswith("_id"):
            warnings.append(
                f"Column {name!r} differs between the tables: are these the same rows, in the same "
                "order?"
            )
    return warnings


def _may_be_id(table: Table, name: str) -> bool:
    kind = table.schema.field(name).type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(text or types.is_integer(kind))


def _that_differ(one: Table, other: Table, names: list[str]) -> list[str]:
    """Return columns whose first values are all different in each table, and not equal in both."""
    if not names:
        return []
    heads = [_head(table, names) for table in (one, other)]
    found = []
    for name in names:
        a, b = ([str(x) for x in head.column(name).to_pylist()] for head in heads)
        n = min(len(a), len(b))
        if a[:n] != b[:n] and len(set(a)) == len(a) and len(set(b)) == len(b):
            found.append(name)
    return found


def _head(table: Table, names: list[str]) -> pa.Table:
    found: list[pa.RecordBatch] = []
    with closing(table.parts(names, {})) as parts:
        for part in parts:
            found.append(part.batch.slice(0, HEAD_ROWS - sum(each.num_rows for each in found)))
            if sum(each.num_rows for each in found) >= HEAD_ROWS:
                break
    return pa.Table.from_batches(found)


def _texts(table: Table, name: str) -> pa.Array:
    batches = [part.batch.column(name) for part in table.parts([name], {})]
    return as_texts(pa.chunked_array(batches), f"{table.paths[0]}: column {name!r}")


def _all_different(ids: pa.Array) -> bool:
    return ids.null_count == 0 and bool(pc.count_distinct(ids).as_py() == len(ids))


def _first_difference(a: pa.Array, b: pa.Array) -> str:
    n = min(len(a), len(b))
    same = as_numpy(pc.equal(a.slice(0, n), b.slice(0, n)).cast(pa.int8()))
    if same.all():
        return f"{len(b):,} rows against {len(a):,}"
    i = int(np.argmin(same))
    return f"{b[i].as_py()!r} for {a[i].as_py()!r} in row {i}"
