"""Lists of numbers that were written as text: "[0.7, 0.3]", "0.7 0.3", NumPy's print."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from plogq.errors import TableError, refuse

# A number with a decimal comma matches as two. If a number could hold a comma, a list could match
# in very many ways, and trying them all could take for ever.
NUMBER = r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|nan|inf|NaN|Infinity)"
BETWEEN = r"[\s,;]+"
# What may stand around a list, or around a number in it: array([0.7, 0.3], dtype=float32), and
# [np.float64(0.7), np.float64(0.3)].
BEFORE = r"^\s*(?:(?:np\.)?(?:array|tensor)\(\s*)?[\[(]\s*"
AFTER = r"\s*[\])]\s*(?:(?:, *[a-z_]+=[\w.':]+)*\))?\s*$"
WRAPPED = r"(?:np|numpy)\.float\d+\(([^()]*)\)"
BRACKETED = re.compile(
    rf"\s*(?:(?:np\.)?(?:array|tensor)\(\s*)?(?:\[\s*{NUMBER}(?:{BETWEEN}(?:{NUMBER}|\.\.\.))*[\s,]*\]"
    rf"|\(\s*{NUMBER}(?:{BETWEEN}{NUMBER})*[\s,]*\))\s*(?:(?:, *[a-z_]+=[\w.':]+)*\))?\s*"
)
THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+\.\d+|(?:\.\d{3})+,\d+)\s*")
BARE = re.compile(rf"\s*{NUMBER}(?:{BETWEEN}{NUMBER})+\s*")


def are_lists(cells: Sequence[str]) -> bool:
    """Return whether the cells of a column are lists of numbers, blank ones aside.

    Half of them in brackets are enough: the others are refused when they are read. Without
    brackets all must be lists of one length, and one must have a decimal point; else they are some
    other text.
    """
    cells = [cell for cell in cells if cell.strip()]
    if not cells or not re.search(r"[\s,;(\[]", cells[0]):
        return False
    cells = [re.sub(WRAPPED, r"\1", cell) for cell in cells]
    if 2 * sum(BRACKETED.fullmatch(cell) is not None for cell in cells) >= len(cells):
        return True
    lengths = {len(re.split(BETWEEN, cell.strip())) for cell in cells}
    return (
        len(lengths) == 1
        and not any(THOUSANDS.fullmatch(cell) for cell in cells)
        and all(BARE.fullmatch(cell) for cell in cells)
        and any("." in cell for cell in cells)
    )


def has_two_separators(cell: str) -> bool:
    """Return whether a comma in a list may be a decimal mark: "[0,7 0,3]"."""
    items = re.split(r"[\s;]+", re.sub(AFTER, "", re.sub(BEFORE, "", cell)).strip())
    return len(items) > 1 and any("," in item.rstrip(",") for item in items)


def read_lists(path: str, column: str, texts: pa.Array, decimal: str, row: int) -> pa.Array:
    """Return texts as lists of float64; `row` is the row of the first of them in the file."""
    from pyarrow import compute as pc  # it takes long to load

    bare = pc.replace_substring_regex(texts, pattern=WRAPPED, replacement=r"\1")
    bare = pc.replace_substring_regex(bare, pattern=BEFORE, replacement="")
    bare = pc.replace_substring_regex(bare, pattern=AFTER, replacement="")
    bare = pc.utf8_trim(bare, characters=" \t\r\n,")
    bare = pc.if_else(pc.equal(pc.utf8_length(bare), 0), pa.scalar(None, pa.string()), bare)
    if decimal == ",":
        items = pc.split_pattern_regex(bare, pattern=r"[\s;]+")
        numbers = pc.replace_substring(items.flatten(), pattern=",", replacement=".")
    else:
        items = pc.split_pattern_regex(bare, pattern=BETWEEN)
        numbers = items.flatten()
    try:
        values = numbers.cast(pa.float64())
    except pa.ArrowInvalid:
        _refuse_first(path, column, texts, items, decimal, row)
        raise
    # The offsets of null lists need no care: a null has no items.
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    nulls = None if items.null_count == 0 else items.is_null()
    return pa.ListArray.from_arrays(offsets, values, mask=nulls)


def _refuse_first(
    path: str, column: str, texts: pa.Array, items: pa.Array, decimal: str, row: int
) -> None:
    for i, numbers in enumerate(items.to_pylist()):
        for number in numbers or []:
            try:
                pa.scalar(number.replace(",", ".") if decimal == "," else number).cast(pa.float64())
            except pa.ArrowInvalid:
                cut = " (it was cut when it was printed)" if "..." in number else ""
                refuse(
                    f"{path}: column {column!r}",
                    f"hold lists of numbers{cut}",
                    repr(texts[i].as_py()[:60]),
                    row=row + i,
                    error=TableError,
                )
