"""Rows of several tables side by side: by their order, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """n rows under every model."""

    start: int  # the first row's number in A
    costs: tuple[Costs, ...]  # by model
    target: Array
    weight: Array | None
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None
    end: int  # the number of the row after the last that was read
    kept: Array | None  # which of the rows read these are; None: all
    left_out: int


def by_order(models: Sequence[Model]) -> Iterator[Pairs]:
    """Yield the i-th row of each table with that of all others; all stream."""
    for parts in _side_by_side(models):
        first, *others = rows = [m.rows(part) for m, part in zip(models, parts, strict=True)]
        for part, other in zip(parts[1:], others, strict=True):
            _check_left_out(part, first, other)
            _check_labels(first, other, models[0].classes)
        yield Pairs(
            parts[0].start,
            tuple(each.costs for each in rows),
            first.target,
            first.weight,
            first.slices,
            first.group,
            None,
            parts[0].start + parts[0].batch.num_rows,
            first.part.kept,
            first.left_out,
        )


def by_id(models: Sequence[Model]) -> Iterator[Pairs]:
    """Yield rows of the same id, in the order of A; the figures of all tables are held."""
    a, *others = models
    held = [_without_predictions(a.rows(part)) for part in a.predictions.parts()]
    ids = _ids(held, a)
    costs = [_costs_by_id(held, ids, a, b) for b in others]
    for rows, part in zip(held, _places(held), strict=True):
        n = part.stop - part.start
        yield Pairs(
            rows.part.start,
            (rows.costs, *(Costs(*(field[part] for field in each)) for each in costs)),
            rows.target,
            rows.weight,
            rows.slices,
            rows.group,
            ids.slice(part.start, n),
            rows.part.start + n + rows.left_out,
            rows.part.kept,
            rows.left_out,
        )


def _costs_by_id(held_a: list[ModelRows], ids_a: pa.Array, a: Model, b: Model) -> Costs:
    """Return what the rows of A cost under B, in their order; ids and labels must be the same."""
    held_b = [_without_predictions(b.rows(part)) for part in b.predictions.parts()]
    ids_b = _ids(held_b, b)
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
    fields = zip(*(rows.costs for rows in held_b), strict=True)
    return Costs(*(np.concatenate(parts)[place] for parts in fields))


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


def _side_by_side(models: Sequence[Model]) -> Iterator[list[Part]]:
    """Yield parts of all tables with equally many rows, cut where the part of any table ends."""
    steps = [_steps(model) for model in models]
    parts = [next(each, None) for each in steps]
    while all(part is not None for part in parts):
        there = [part for part in parts if part is not None]
        n = min(part.batch.num_rows for part in there)
        yield [_cut(part, 0, n) for part in there]
        parts = [
            _cut(part, n) if part.batch.num_rows > n else next(step, None)
            for part, step in zip(there, steps, strict=True)
        ]
    if any(part is not None for part in parts):
        shorter = next(m for m, part in zip(models, parts, strict=True) if part is None)
        longer, part = next((m, p) for m, p in zip(models, parts, strict=True) if p is not None)
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
