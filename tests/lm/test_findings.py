"""No report contradicts its numbers, or itself, over corpora of many kinds."""

import json
import math

import pytest

from plogq.formulas.units import from_nats, plural
from plogq.lm import TokensResult
from plogq.lm.summary import UNIFORM
from plogq.reports.findings.lm import ADVICE, BY_BYTE, DOUBTS, PARTS, findings
from plogq.reports.numbers import figure
from plogq.reports.terminal.text import plain
from plogq.tables.sums.level import PERCENT
from tests.lm.drawn import result as drawn
from tests.lm.test_report import shown
from tests.reports import check_plain, sentences

BLOCKS, EACH = 8, 25


@pytest.mark.parametrize("block", range(BLOCKS))
def test_laws(block):
    for seed in range(block * EACH, (block + 1) * EACH):
        result = drawn(seed)
        words = findings(result)
        check_figures(result)
        check_headline(result, words)
        check_lists(result, words)
        assert TokensResult.read(json.loads(result.to_json())) == result, seed
        text = " ".join(shown(result).split())
        for each in sentences(words):
            check_plain(each)
            assert " ".join(plain(each).split()) in text, seed


def check_figures(result):
    """The costs of all parts of the text add up to the same."""
    for count, cost, _ in PARTS.values():
        if getattr(result, cost) is not None:
            total = getattr(result, cost) * getattr(result, count)
            assert total == pytest.approx(result.surprisal, rel=1e-12)
    assert set(result.intervals) <= set(vars(result))


def check_headline(result, words):
    title, against, advice = words.headline.title, words.headline.text, words.headline.advice
    per_byte, codes = result.cross_entropy_per_byte, {each.code for each in result.warnings}
    assert ("Infinite" in title) == math.isinf(result.surprisal)
    assert words.sure.startswith(PERCENT) == bool(result.intervals)
    assert ("too narrow" in words.sure) == ("few_documents" in codes)
    if per_byte is not None and math.isfinite(per_byte):
        assert title.startswith(f"{figure(per_byte)} {plural(result.unit)} per byte")
        more = per_byte > float(from_nats(UNIFORM, result.unit))
        assert ("more than with no model" in against) == more
        assert ("saves" in against) == (not more)
        assert "saves −" not in against
    known = DOUBTS | ADVICE
    assert advice == next((do for code, do in known.items() if code in codes), BY_BYTE)
    assert advice != BY_BYTE or per_byte is not None


def check_lists(result, words):
    if words.documents is not None:
        first, of = result.worst_documents[0], words.documents.title.split("per ")[1].split()[0]
        name = f"cross_entropy_per_{of}"
        costs, whole = getattr(first, name), getattr(result, name)
        assert (words.documents.advice is not None) == (costs > whole)
        assert all(getattr(x, name) <= costs for x in result.worst_documents)
    assert (words.tokens is not None) == bool(result.surprises)
