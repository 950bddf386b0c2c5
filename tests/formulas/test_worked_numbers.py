"""Numbers that textbooks work out by hand: right here, and unlike what is printed wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plogq
from tests.formulas.worked_oracles import ORACLES
from tests.formulas.worked_ours import OURS
from tests.oracles import mp

TEXT = (Path(__file__).parents[1] / "data" / "worked_numbers.json").read_text()
ENTRIES = {entry["id"]: entry for entry in json.loads(TEXT)}
DECIMALS = {entry["id"]: entry for entry in json.loads(TEXT, parse_float=mp.mpf)}
KNOWN_WRONG = [name for name, entry in ENTRIES.items() if "known_wrong" in entry]


def leaves(tree: Any, *path: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Give every number with the keys and positions that lead to it."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, *path, key)
    elif isinstance(tree, list) or getattr(tree, "ndim", 0):
        for position, value in enumerate(tree):
            yield from leaves(value, *path, position)
    else:
        yield path, tree


def ours(name: str) -> dict[Any, float]:
    numbers = OURS[name](**ENTRIES[name]["inputs"])
    return {path: float(value) for path, value in leaves(numbers)}


@pytest.mark.parametrize("name", ENTRIES)
def test_library_has_the_right_number(name):
    expected = {path: float(value) for path, value in leaves(ENTRIES[name]["expected"])}
    assert ours(name) == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", ENTRIES)
def test_expected_number_is_the_exact_one_rounded(name):
    right = {path: float(v) for path, v in leaves(ORACLES[name](**DECIMALS[name]["inputs"]))}
    assert {path: float(v) for path, v in leaves(ENTRIES[name]["expected"])} == right


@pytest.mark.parametrize("name", KNOWN_WRONG)
def test_what_is_printed_wrong_differs(name):
    numbers = ours(name)
    printed = {path: v for path, v in leaves(ENTRIES[name]["known_wrong"]["value"]) if v}
    assert printed
    for path, wrong in printed.items():
        decimals = len(wrong.partition(".")[2])
        assert f"{numbers[path]:.{decimals}f}" != wrong, path


def test_no_entry_is_left_out():
    assert ENTRIES.keys() == OURS.keys() == ORACLES.keys()
    assert len(ENTRIES) == 26
    for entry in ENTRIES.values():
        assert entry.keys() - {"known_wrong"} == {"id", "what", "inputs", "expected", "unit"}
        if isinstance(entry["unit"], dict):
            assert entry["unit"].keys() == entry["expected"].keys()


def test_a_code_that_cannot_be_decoded_is_no_distribution():
    lengths = ENTRIES["balls_codes"]["inputs"]["lengths"]
    p = np.broadcast_to(ENTRIES["balls_codes"]["inputs"]["p"], np.shape(lengths))
    with pytest.raises(ValueError, match=r"q must sum to 1 .* sums to 1.5 \(first at row 1\)"):
        plogq.cross_entropy(p, 2.0 ** -np.asarray(lengths))
    kept = [0, 2, 3]
    bits = plogq.cross_entropy(p[kept], 2.0 ** -np.asarray(lengths)[kept], unit="bit")
    assert bits == pytest.approx([2.0, 2.0, 1.75], rel=1e-15)
