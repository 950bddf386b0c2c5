"""Damage to what a reader is given: to bytes, to the cells of a table, to a value of JSON."""

import copy
import random
from typing import Any

from tests.codes.fuzz import damage as damaged_bytes

__all__ = ["damaged_bytes", "damaged_json", "damaged_rows"]

CELLS = [
    "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "-0.0", "0", "1", "2",
    "-1", "0.5", " 0.5 ", '"0.5"', "'0.5'", "0,5", "50%", "5e-1", "5E-01", "+.5", "5.", ".5.",
    "0x1p-1", "1_0", "٠.٥", "0.5f", "1/2", "0.5 0.5", "[0.5, 0.5]", "{}", "null", "None", "NA",
    "#N/A", "true", "a", "b", "c", "A", "ä", "\ufeff", "\x00", "\x85", "\u2028", "\n", "\r", '"',
    '""', "=1+1", "1e-320", "4.9e-324", "9007199254740993", "1" * 400, "0." + "3" * 400, "−0.5",
    "0.5\t", "#0.5",
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 2, 1.5, -0.5, 0.5, 10**400, 2**53 + 1, 1e308, 5e-324,
    float("nan"), float("inf"), float("-inf"), "", "x", "0.5", "NaN", "inf", "\ud83d", "\x00", [],
    [[]], [None], {}, {"x": None}, [1, 2, 3], [0.5, 0.5], "▁x", "<|x|>", "\ufffd",
]  # fmt: skip


def damaged_rows(rng: random.Random, rows: list[list[str]]) -> list[list[str]]:
    """Give a table of cells, its names first, with some cells, rows or columns changed."""
    rows = [list(row) for row in rows]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        row = rng.randrange(len(rows))
        column = rng.randrange(max(1, len(rows[row])))
        kind = rng.randrange(10)
        if kind < 4 and rows[row]:
            rows[row][column] = rng.choice(CELLS)
        elif kind == 4 and rows[row]:
            of_column = [each[column] for each in rows if column < len(each)]
            rows[row][column] = rng.choice(of_column)
        elif kind == 5:
            del rows[row][column : column + 1]
        elif kind == 6:
            rows[row].insert(column, rng.choice(CELLS))
        elif kind == 7 and len(rows) > 1:
            del rows[row]
        elif kind == 8:
            rows.insert(rng.randrange(len(rows) + 1), list(rows[row]))
        else:  # a column trades its place with another, its name stays or goes along
            other = rng.randrange(max(1, len(rows[row])))
            for each in rows[rng.randrange(2) :]:
                if max(column, other) < len(each):
                    each[column], each[other] = each[other], each[column]
    return rows


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the path of every value inside."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [at] + [place for key, inner in items for place in places(inner, (*at, key))]


def damaged_json(rng: random.Random, value: Any) -> Any:
    """Give a value of JSON with some values inside changed, taken out, moved or said twice."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        inner = [path for path in places(value) if path]
        if not inner:
            return rng.choice(VALUES)
        *way, last = rng.choice(inner)
        holder = value
        for key in way:
            holder = holder[key]
        kind = rng.randrange(6)
        if kind < 3:
            holder[last] = copy.deepcopy(rng.choice(VALUES))
        elif kind == 3:
            del holder[last]
        elif kind == 4:
            source: Any = value
            for key in rng.choice(inner):
                source = source[key]
            holder[last] = copy.deepcopy(source)
        elif isinstance(holder, list):
            holder.insert(last, copy.deepcopy(holder[last]))
        else:
            holder[f"{last}x"] = holder.pop(last)
    return value
