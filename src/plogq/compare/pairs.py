"""Rows of two tables side by side: by their order, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from plogq.compare.model import Costs, Model, ModelRows
from plogq.errors import TableError
from plogq.tables.arrays import Array, as_numpy, is_null
from plogq.tables.readers import BATCH_ROWS, Part
from plogq.tables.row_sums import TOLERANCE


class Pairs(NamedTuple):
    """n rows under both models."""

    start: int  # the first row's number in A
    a: Costs
    b: Costs
    target: Array
    weight: Array | None
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None
    end: int  # the number of the row after the last that was read
    kept: Array | None  # which of the rows read these are; None: all
    left_out: int


def by_order(a: Model, b: Model) -> Iterator[Pairs]:
    """Yield the i-th row of one table with the i-th of the other; both stream."""
    for part_a, part_b in _side_by_side(a, b):
        rows_a, rows_b = a.rows(part_a), b.rows(part_b)
        _check_left_out(part_b, rows_a, rows_b)
        _check_labels(rows_a, rows_b, a.classes)
        yield Pairs(
            part_a.start,
            rows_a.costs,
            rows_b.costs,
            rows_a.target,
            rows_a.weight,
            rows_a.slices,
            rows_a.group,
            None,
            part_a.start + part_a.batch.num_rows,
            rows_a.part.kept,
            rows_a.left_out,
        )


def by_id(a: Model, b: Model) -> Iterator[Pairs]:
    """Yield rows of the same id, in the order of A; the figures of both tables are held."""
    held_a, held_b = (
        [_without_predictions(model.rows(part)) for part in model.predictions.parts()]
        for model in (a, b)
    )
    ids_a, ids_b = _ids(held_a, a), _ids(held_b, b)
    # Where each row of B is in A; the table of A's ids is built once.
    at = as_numpy(pc.index_in(ids_b, value_set=ids_a).fill_null(-1)).astype(np.int64)
    _check_each(held_b, at < 0, b, f"be an id of {a.path}", ids_b)
    seen = np.zeros(len(ids_a), bool)
    seen[at] = True
    _check_each(held_a, ~seen, a, f"be an id of {b.path}", ids_a)
    target = np.concatenate([rows.target for rows in held_a])[at]
    soft = _joined(held_a)
    for rows, part in zip(held_b, _places(held_b), strict=True):
        of_a = None if soft is None else soft[at[part]]
        _refuse_labels(rows, target[part], of_a, a.classes, f"as in {a.path}")
    place = np.empty(len(at), np.int64)  # where each row of A is in B
    place[at] = np.arange(len(at))
    costs = Costs(*(np.concatenate(x) for x in zip(*(r.costs for r in held_b), strict=True)))
    for rows, part in zip(held_a, _places(held_a), strict=True):
        n = part.stop - part.start
        yield Pairs(
            rows.part.start,
            rows.costs,
            costs.take(place[part]),
            rows.target,
            rows.weight,
            rows.slices,
            rows.group,
            ids_a.slice(part.start, n),
            rows.part.start + n + rows.left_out,
            rows.part.kept,
            rows.left_out,
        )


def _places(held: list[ModelRows]) -> list[slice]:
    """Return, for each part, its slice of all held rows."""
    ends = np.cumsum([len(rows.target) for rows in held]).tolist()
    return [slice(end - len(rows.target), end) for rows, end in zip(held, ends, strict=True)]


def _joined(held: list[ModelRows]) -> Array | None:
    found = [rows.soft for rows in held if rows.soft is not None]
    return np.concatenate(found) if found else None


def _ids(held: list[ModelRows], model: Model) -> pa.Array:
    """Return the ids of all rows, (n,), after a check that no two are the same."""
    ids = pa.chunked_array([rows.id for rows in held]).combine_chunks()
    _check_each(held, is_null(ids), model, "hold an id in every row", ids)
    codes = as_numpy(ids.dictionary_encode().indices)
    again = np.ones(len(ids), bool)
    again[np.unique(codes, return_index=True)[1]] = False
    expected = f"be an id of its own in every row ({int(again.sum()):,} came before)"
    _check_each(held, again, model, expected, ids)
    return ids


def _check_each(
    held: list[ModelRows], bad: Array, model: Model, expected: str, ids: pa.Array
) -> None:
    """Refuse the first id that is bad, by its row in its file."""
    if bad.any():
        i = int(np.argmax(bad))
        places = zip(held, _places(held), strict=True)
        rows, part = next((r, part) for r, part in places if i < part.stop)
        local = np.arange(len(rows.target)) == i - part.start
        value = ids[i].as_py()
        came = "null" if value is None else repr(value)
        rows.part.check(str(model.columns.id), local, expected, lambda _: came)


def _without_predictions(rows: ModelRows) -> ModelRows:
    """Return the rows without their batch: memory for a row must not grow with the classes."""
    return rows._replace(part=rows.part._replace(batch=pa.record_batch([], names=[])))


def _side_by_side(a: Model, b: Model) -> Iterator[tuple[Part, Part]]:
    """Yield parts of both tables with equally many rows, cut where either table's part ends."""
    left, right = _steps(a), _steps(b)
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        n = min(one.batch.num_rows, other.batch.num_rows)
        yield _cut(one, 0, n), _cut(other, 0, n)
        one = _cut(one, n) if one.batch.num_rows > n else next(left, None)
        other = _cut(other, n) if other.batch.num_rows > n else next(right, None)
    if one is not None or other is not None:
        longer, shorter = (a, b) if one is not None else (b, a)
        part = one or other
        assert part is not None
        raise TableError(
            f"{shorter.path}: must have a row for each of {longer.path}; got "
            f"{part.start:,} rows and no more (or pair rows by name with --id)"
        )


def _steps(model: Model) -> Iterator[Part]:
    for part in model.predictions.parts():
        for first in range(0, part.batch.num_rows, BATCH_ROWS):
            yield _cut(part, first, BATCH_ROWS)


def _cut(part: Part, first: int, rows: int | None = None) -> Part:
    batch = part.batch.slice(first) if rows is None else part.batch.slice(first, rows)
    return Part(batch, part.path, part.row + first, part.start + first)


def _check_left_out(part: Part, a: ModelRows, b: ModelRows) -> None:
    """Refuse a row that is left out of one table alone."""
    if a.left_out or b.left_out:
        rows = np.arange(part.batch.num_rows)
        out = [np.isin(rows, rows if r.part.kept is None else r.part.kept) for r in (a, b)]
        expected = f"be left out by its label as in {a.part.path}, or in neither"
        part.check(b.label, out[0] != out[1], expected, lambda i: "another label")


def _check_labels(a: ModelRows, b: ModelRows, classes: tuple[str, ...]) -> None:
    """Refuse rows that are labelled differently: they are not the same rows."""
    _refuse_labels(b, a.target, a.soft, classes, f"as in {a.part.path}")


def _refuse_labels(
    b: ModelRows, target: Array, soft: Array | None, classes: tuple[str, ...], where: str
) -> None:
    name = b.label
    if (soft is None) != (b.soft is None):
        raise TableError(
            f"{b.part.path}: column {name!r} must hold labels of the kind that the other table "
            "has: class labels, or distributions"
        )
    if soft is not None and b.soft is not None:
        bad = (np.abs(soft - b.soft) > TOLERANCE).any(axis=1)
        b.part.check(name, bad, f"be the same {where}", lambda i: "another distribution")
        return
    b.part.check(
        name,
        b.target != target,
        f"be the same {where}",
        lambda i: f"{classes[b.target[i]]!r} for {classes[target[i]]!r}",
    )
