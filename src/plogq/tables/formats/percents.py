"""Numbers that were written with a percent sign: "70%", "12.5 %"."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from plogq.errors import TableError, refuse

PERCENT = re.compile(r"\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+) ?%\s*")


def are_percents(cells: Sequence[str]) -> bool:
    """Return whether most cells of a column have percent signs, blank ones aside."""
    cells = [cell for cell in cells if cell.strip()]
    return 2 * sum(PERCENT.fullmatch(cell) is not None for cell in cells) > len(cells)


def read_percents(path: str, column: str, texts: pa.Array, decimal: str, row: int) -> pa.Array:
    """Return texts with percent signs as fractions, float64: "70%" is 0.7.

    `row` is the row of the first of them in the file. A number without a sign is refused: it may
    be a percentage, or not.
    """
    from pyarrow import compute as pc  # it takes long to load

    bare = pc.utf8_trim_whitespace(texts)
    bare = pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)
    signed = pc.fill_null(pc.match_substring_regex(bare, PERCENT.pattern + "$"), True)
    if not pc.all(signed).as_py():
        i = signed.index(False).as_py()
        expected = "hold numbers with percent signs in every row, where most have one"
        refuse(f"{path}: column {column!r}", expected, repr(texts[i].as_py()[:60]), row=row + i,
               error=TableError)  # fmt: skip
    bare = pc.utf8_rtrim(bare, characters=" %")
    if decimal == ",":
        bare = pc.replace_substring(bare, pattern=",", replacement=".")
    # The exponent divides in the text, so that 70.1% is the number nearest to 0.701.
    shifted = pc.binary_join_element_wise(bare, "e-2", "")
    return shifted.cast(pa.float64())
