"""History: each number by mpmath, each line of code, and each link."""

import ast
import re

import mpmath
import pytest
from mpmath import mpf

import plogq
from plogq.explorer.pages import PAGES
from plogq.explorer.pages.history import PAGE, entries
from plogq.explorer.shown import shown
from tests.explorer.conftest import cut_off, looks_right


def expected():
    """Give each figure by its year, from the definitions."""
    letters = [mpf(1) / n for n in (2, 4, 8, 8)]
    bits = -mpmath.fsum(p * mpmath.log(p, 2) for p in letters)
    p = mpf("0.01")

    def softmax(logits, temperature=1):
        powers = [mpmath.exp(mpf(x) / temperature) for x in logits]
        return [power / mpmath.fsum(powers) for power in powers]

    def sigmoid(z):
        return 1 / (1 + mpmath.exp(-z))

    z = mpmath.log(p / (1 - p))
    pairs = [(mpf("0.7"), mpf("0.9")), (mpf("0.3"), mpf("0.1"))]
    return {
        1948: bits,
        1951: 2 - bits,
        1952: mpmath.fsum(a * mpmath.log(a / b) for a, b in pairs),
        1977: 2**bits,
        1986: mpmath.diff(lambda x: (sigmoid(x) - 1) ** 2 / 2, z),
        1988: mpmath.diff(lambda x: -mpmath.log(sigmoid(x)), z),
        1990: softmax(["2", "0.5", "-1", "0"])[0],
        2012: mpmath.log(1000),
        2015: 1 - softmax([8, 5, 1, 0], 3)[0],
        2019: mpmath.log(50257),
        2022: mpf("1.69") / mpmath.log(2),
    }


def test_every_number():
    with mpmath.workdps(40):
        right = expected()
        assert [entry.year for entry in entries()] == list(right)
        for entry in entries():
            assert entry.value == pytest.approx(float(right[entry.year]), rel=1e-13), entry.year


@pytest.mark.parametrize("entry", PAGES["history"].answer({})["entries"], ids=lambda e: e["year"])
def test_every_line_of_code(entry):
    assert max(map(len, entry["code"].splitlines())) <= 80
    *before, last = ast.parse(entry["code"]).body
    names = {}
    exec(compile(ast.Module(before, []), "page", "exec"), names)
    value = eval(compile(ast.Expression(last.value), "page", "eval"), names)
    assert float(value) == pytest.approx(entry["value"], rel=1e-14)
    assert entry["figure"]["value"] == entry["value"]


def test_every_entry_is_complete_and_in_order():
    found = entries()
    years = [entry.year for entry in found]
    assert years == sorted(set(years))
    assert "eleven works" in PAGE.summary
    assert len(found) == 11
    for entry in found:
        assert entry.page in PAGES
        assert entry.authors
        assert entry.title
        assert entry.where
        assert entry.said.endswith(".")
        assert not entry.what.endswith(".")


def test_the_change_of_1988():
    got = PAGES["history"].answer({})
    ratio = got["readouts"][2]["value"]
    assert ratio == pytest.approx(1 / (0.01 * 0.99), rel=1e-12)
    assert f"{shown(ratio, 0)} times as large: −0.9900 instead of −0.0098." in got["notice"]


def test_what_an_honest_forecast_saves():
    """Of all forecasts for a truth of 0.7, 0.7 costs least, as the entry of 1952 says."""
    costs = {q: float(plogq.cross_entropy([0.7, 0.3], [q, 1 - q])) for q in (0.5, 0.69, 0.7, 0.71)}
    assert min(costs, key=costs.get) == 0.7


@pytest.mark.parametrize("context", ["desk", "phone"])
def test_the_timeline_and_its_links(context, visit):
    page = visit("/history", context)
    looks_right(page)
    assert cut_off(page) == []
    names = page.locator(".page-picture svg text.strong").all_text_contents()
    assert names == [f"{entry.year} {entry.name}" for entry in entries()]
    links = page.get_by_role("link", name="The page about it").all()
    assert [link.get_attribute("href") for link in links] == [f"/{e.page}" for e in entries()]
    headings = page.locator(".page-words h2").all_inner_texts()
    assert [text for text in headings if re.match(r"\d{4}, ", text)] == [
        f"{entry.year}, {entry.name}" for entry in entries()
    ]
