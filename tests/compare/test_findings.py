"""No report contradicts its numbers, or itself, over pairs of many kinds."""

import json
import math
import re
from dataclasses import astuple

import pytest

from plogq.compare import Comparison
from plogq.compare.result import TIE
from plogq.reports.findings.compare import findings
from plogq.reports.findings.compare_advice import FEW, rows_needed
from plogq.reports.terminal.text import plain
from tests.compare.drawn import comparison
from tests.compare.test_report import shown
from tests.reports import check_plain, sentences

BLOCKS, EACH = 8, 25
NAMES = {"a": "A", "b": "B"}


@pytest.mark.parametrize("block", range(BLOCKS))
def test_laws(block):
    for seed in range(block * EACH, (block + 1) * EACH):
        result = comparison(seed)
        words = findings(result)
        check_headline(result, words.headline)
        check_sure(result, words)
        check_groups(result, words)
        text = " ".join(shown(result).split())
        for each in sentences(words):
            check_plain(each)
            assert " ".join(plain(each).split()) in text, seed
        assert set(result.intervals) <= set(vars(result))
        assert Comparison.read(json.loads(result.to_json())) == result, seed


def check_headline(result, headline):
    title, against, advice = headline.title, headline.text, headline.advice
    d = result.difference
    same = d is not None and abs(d) <= TIE
    assert ("clearly" in title) == (result.winner is not None)
    assert (" same" in title) == same
    if d is not None and not same:
        assert title.startswith("A" if d < 0 else "B")
        assert NAMES.get(result.winner, title[0]) == title[0]
    assert ("infinite" in title + against) == (d is None or math.isinf(d))
    assert advice
    if kept := re.search(r"Keep ([AB])", advice):
        assert kept[1] == NAMES[result.winner]
    if needed := re.search(r"about ([\d,]+) ", advice):
        assert int(needed[1].replace(",", "")) >= result.rows
        assert result.winner is None
    if result.wins is not None:
        assert sum(astuple(result.wins)) == pytest.approx(1, abs=1e-12)
        assert ("either" in against) == (result.wins.tie > 0)
        assert ("two models" in advice) <= (result.wins.tie == 1)


def check_sure(result, words):
    d, ends = result.difference, result.intervals.get("difference_finite")
    assert ("interval of" in words.sure) == (ends is not None)
    if ends is not None and d is not None and math.isfinite(d):
        assert result.winner is None or "0 is outside" in words.sure
        few = {each.code for each in result.warnings} & set(FEW)
        assert not (few and result.winner)
    few = any(each.code in FEW for each in result.warnings)
    assert ("too narrow" in words.sure) == (few and ends is not None)
    assert not few or "too narrow" in " ".join(sentences(words))


def check_groups(result, words):
    """Advice on a class or a slice is about one that the worse model clearly wins."""
    for column, finding in {None: words.classes, **words.slices}.items():
        if finding is not None and finding.advice is not None:
            groups = (result.slices[column] if column else result.per_class).values()
            loser = {"a": "b", "b": "a"}[result.winner]
            assert f"there {NAMES[loser]} is clearly better" in finding.advice
            assert loser in {each.winner for each in groups}


@pytest.mark.parametrize("block", range(4))
def test_exchanged_models_are_said_exchanged(block):
    """The other order of the two changes their names, and nothing else of the headline."""

    def exchanged(text):
        there = re.sub(r"\b[AB]\b", lambda found: "BA"["AB".index(found[0])], text)
        costs = re.compile(r"\(B costs (.*) per row, A (.*)\)")  # named in their order
        return costs.sub(r"(A costs \2 per row, B \1)", there).replace("B and A", "A and B")

    for seed in range(block * EACH, (block + 1) * EACH):
        forth, back = (findings(comparison(seed, each)).headline for each in (False, True))
        assert exchanged(forth.title) == back.title, seed
        assert exchanged(forth.advice) == back.advice, seed


@pytest.mark.parametrize(("difference", "ends"), [(-0.25, (-0.75, 0.25)), (0.5, (-0.5, 2.0))])
def test_rows_needed(difference, ends):
    """With so many rows, an interval that shrinks with the root of the rows ends at 0."""
    end = ends[1] if difference < 0 else ends[0]
    rows = rows_needed(100, difference, ends)
    assert difference + (end - difference) * math.sqrt(100 / rows) == pytest.approx(0, abs=1e-12)
    assert rows >= 100
