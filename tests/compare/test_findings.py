"""No report contradicts its numbers, or itself, over pairs of many kinds."""

import io
import math
import re
from dataclasses import astuple

import pytest
from rich.console import Console

from plogq.compare.result import TIE
from plogq.reports.findings.compare import findings
from plogq.reports.findings.compare_advice import FEW, rows_needed
from plogq.reports.findings.finding import Finding
from plogq.reports.terminal.compare import print_report
from plogq.reports.terminal.text import plain
from tests.compare.drawn import comparison

BLOCKS, EACH = 8, 30


def every_seed(block):
    return range(block * EACH, (block + 1) * EACH)


def said(words):
    """Give all sentences, in their order."""
    if isinstance(words, str):
        return [words]
    if isinstance(words, Finding):
        return [text for text in astuple(words) if text]
    items = words.values() if isinstance(words, dict) else words
    return [text for item in items if item is not None for text in said(item)]


def sentences(result):
    return said(vars(findings(result)))


def shown(result, width=80):
    out = io.StringIO()
    print_report(result, Console(file=out, width=width, highlight=False))
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize("block", range(BLOCKS))
def test_laws(block):
    for seed in every_seed(block):
        result = comparison(seed)
        words = findings(result)
        title, against, advice = words.headline.title, words.headline.text, words.headline.advice
        d, winner = result.difference, result.winner
        better = {"a": "A", "b": "B"}.get(winner)
        assert ("clearly" in title) == (winner is not None), seed
        if d is not None and abs(d) <= TIE:
            assert title.startswith("A and B cost the same"), seed
        elif d is not None:
            assert title.startswith("A" if d < 0 else "B"), seed
            assert better in (None, title[0]), seed
        assert ("infinite" in title + against) == (d is None or math.isinf(d)), seed
        assert (" same" in title) == (d is not None and abs(d) <= TIE), seed
        assert advice, seed
        if kept := re.search(r"Keep ([AB])", advice):
            assert kept[1] == better, seed
        if result.wins is not None:
            assert sum(astuple(result.wins)) == pytest.approx(1, abs=1e-12), seed
            assert ("neither" in against) == (result.wins.tie > 0), seed
        ends = result.intervals.get("difference_finite")
        assert ("interval of" in words.sure) == (ends is not None), seed
        if ends is not None and d is not None and math.isfinite(d):
            assert winner is None or "0 is outside" in words.sure, seed
        few = any(each.code in FEW for each in result.warnings)
        assert ("too narrow" in words.sure) == (few and ends is not None), seed
        assert not few or "too narrow" in " ".join(sentences(result)), seed


@pytest.mark.parametrize("block", range(BLOCKS))
def test_groups(block):
    for seed in every_seed(block):
        result = comparison(seed)
        words = findings(result)
        found = {None: words.classes, **words.slices}
        for column, finding in found.items():
            if finding is None or finding.advice is None:
                continue
            groups = result.slices[column].values() if column else result.per_class
            winners = {each.winner for each in groups}
            assert result.winner is not None, seed
            loser = {"a": "B", "b": "A"}[result.winner]
            assert f"there {loser} is clearly better" in finding.advice, seed
            assert loser.lower() in winners, seed


@pytest.mark.parametrize("block", range(BLOCKS))
def test_plain_words(block):
    """No plural of one, no number that is none, no word that only Python knows."""
    for seed in every_seed(block):
        for text in sentences(comparison(seed)):
            assert not re.search(r"(?<![\d.,])1 (rows|documents|bytes|tokens|groups)\b", text), text
            assert not re.search(
                r"\b(nan|None|inf)\b|\de[-+]\d|(?<!\d)[-−]0(\.0+)?(?![\d.])", text
            ), text
            assert text == text.strip(), text
            assert ".." not in text, text


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_terminal_says_each_sentence(block):
    for seed in every_seed(block):
        result = comparison(seed)
        text = shown(result)
        for each in sentences(result):
            assert " ".join(plain(each).split()) in text, seed


@pytest.mark.parametrize("block", range(BLOCKS))
def test_exchanged_models_are_said_exchanged(block):
    """The other order of the two changes their names, and nothing else of the headline."""
    names = {"A": "B", "B": "A"}
    for seed in every_seed(block):
        forth, back = (findings(comparison(seed, exchanged)).headline for exchanged in (0, 1))
        for mine, theirs in ((forth.title, back.title), (forth.advice, back.advice)):
            there = re.sub(r"\b[AB]\b", lambda found: names[found[0]], mine)
            there = there.replace("B and A", "A and B")
            assert re.sub(r"\(.*\)", "", there) == re.sub(r"\(.*\)", "", theirs), seed


@pytest.mark.parametrize(("difference", "ends"), [(-0.25, (-0.75, 0.25)), (0.5, (-0.5, 2.0))])
def test_rows_needed(difference, ends):
    """With so many rows, an interval that shrinks with the root of the rows ends at 0."""
    end = ends[1] if difference < 0 else ends[0]
    rows = rows_needed(100, difference, ends)
    assert difference + (end - difference) * math.sqrt(100 / rows) == pytest.approx(0, abs=1e-12)
    assert rows >= 100
