"""Numbers become text by one rule: it hides no number, and the pages' script follows it too."""

import json
import math
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.reports.numbers import amount, count, figure, percent, span
from tests.explorer.conftest import need

WEB = Path(__file__).parents[2] / "web"
SCRIPT = """
import { number, percent } from "./src/parts/format.js";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const given = JSON.parse(text);
const written = given.map((x) => [...[2, 3, 4].map((n) => number(x, n)), percent(x)]);
console.log(JSON.stringify(written));
"""
ODD = [
    0.0, -0.0, 0.9999, 0.99994, 0.99995, 0.99999, 0.03125, 0.0625, 0.125, 1.5, 0.001, 0.00099999,
    999.99994, 999.99996, 999.9999999, 1000.5, 1001.5, 12345.6, 1e9, 999999999.4, 999999999.6,
    9.995e-5, 9.996e-5, 5e-324, 1.7976931348623157e308, 0.9994, 0.9995, 0.0004, 0.0005, 1.0, 2.0,
]  # fmt: skip


def value_of(text):
    """Read a text back as an exact number."""
    match = re.fullmatch(r"(−?)([\d,.]+)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    sign, digits, power = match.groups()
    power = int((power or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    return Fraction(digits.replace(",", "")) * Fraction(10) ** power * (-1 if sign else 1)


finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(ODD)


@given(finite, st.integers(2, 6))
def test_a_text_is_the_number_rounded_and_hides_none(x, decimals):
    text = figure(x, decimals)
    back = value_of(text)
    size = abs(Fraction(x))
    if size == 0:
        assert text == "0." + "0" * decimals
        return
    assert (back > 0) == (x > 0)
    assert back != 0
    if size < 1000 and "×" not in text:
        assert abs(back - Fraction(x)) <= Fraction(1, 2 * 10**decimals)
    elif "×" not in text:
        assert abs(back - Fraction(x)) <= Fraction(1, 2)
    else:
        assert abs(back - Fraction(x)) <= size * Fraction(1, 200)


@given(st.floats(-2, 2))
def test_no_share_looks_like_none_or_all_unless_it_is(share):
    text = percent(share)
    assert (text == "0.0\xa0%") == (share == 0)
    assert share >= 1 or text != "100.0\xa0%"
    if text[0] not in "<>":
        shown = float(text.removesuffix("\xa0%").replace("−", "-"))
        assert abs(shown - 100 * share) <= 0.05 + 1e-9


def test_words_around_numbers():
    assert span((0.25, math.inf)) == "0.2500 to ∞"
    assert amount(math.inf, "nat") == "infinitely many nats"
    assert count(1, "document") == "1 document"


def test_the_script_of_the_pages_writes_the_same():
    ready = shutil.which("node") and (WEB / "node_modules" / "d3-format").exists()
    need(ready, "no node or no packages: apt-get install nodejs npm; make web")
    numbers = [
        *ODD,
        *(-x for x in ODD),
        *(k / 64 + 10.0**p for k in range(64) for p in (-9, -3, 0, 3)),
    ]
    numbers += [10.0**p * m for p in range(-30, 30) for m in (1, 1.005, 9.995, 9.9999)]
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT], cwd=WEB, text=True, capture_output=True,
        input=json.dumps(numbers), check=True,
    )  # fmt: skip
    ours = [[figure(x, 2), figure(x, 3), figure(x, 4), percent(x)] for x in numbers]
    for x, mine, theirs in zip(numbers, ours, json.loads(done.stdout), strict=True):
        assert mine == theirs, x


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, None])
def test_what_is_no_number_has_a_sign_of_its_own(value):
    signs = {math.inf: "∞", -math.inf: "−∞"}
    assert figure(value) == percent(value) == signs.get(value, "–")
