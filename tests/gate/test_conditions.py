"""Conditions: what they say of a result, and what is refused."""

import math
import operator
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.compare import compare
from plogq.conditions import condition, figures, outcome
from plogq.lm import score_tokens
from plogq.records import encoded
from plogq.reports.gate import FORMATS
from plogq.score import score
from tests.compare.tables import models, pair, table
from tests.lm.corpora import corpus


@pytest.fixture(scope="module")
def scored():
    return score(pair(0)[0], slices=["site"])


@pytest.fixture(scope="module")
def compared():
    """Give a comparison whose B is clearly worse."""
    return compare(*pair(0, rows=2000, noise=(0.2, 1.0)))


SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@given(sign=st.sampled_from(list(SIGNS)), number=st.floats(-3, 3))
def test_a_condition_compares(scored, sign, number):
    found = outcome(scored, f"cross_entropy {sign} {number!r}")
    assert found.value == scored.cross_entropy
    assert found.holds == SIGNS[sign](scored.cross_entropy, number)


def test_at_the_bound(scored):
    bound = repr(scored.cross_entropy)
    holds = [outcome(scored, f"cross_entropy{sign}{bound}").holds for sign in SIGNS]
    assert holds == [False, True, False, True]


def test_every_number_of_the_json_has_a_name(scored):
    found = figures(scored)
    assert found["cross_entropy.high"] == scored.intervals["cross_entropy"][1]
    assert found["per_class.dog.cross_entropy"] == scored.per_class[1].cross_entropy
    assert found["slices.site.north.rows"] == scored.slices["site"]["north"].rows
    assert found["temperature.interval.low"] == scored.temperature.interval[0]
    numbers = sum(_numbers(encoded(scored)))
    assert sum(value is not None for value in found.values()) == numbers


def _numbers(value):
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)
    elif not isinstance(value, bool) and isinstance(value, int | float):
        yield 1


def test_worse(compared):
    gap = -compared.difference
    low = -compared.intervals["difference_finite"][1]  # of what B costs more
    assert compared.winner == "a"
    assert outcome(compared, f"worse by {gap!r} bits").holds
    assert not outcome(compared, f"worse by {gap + 1e-9!r} bits").holds
    assert outcome(compared, "clearly worse").holds
    assert outcome(compared, f"clearly worse by {low!r} bit").holds
    assert not outcome(compared, f"clearly worse by {low + 1e-9!r} bits").holds
    assert outcome(compared, f"worse by {low + 1e-9!r} bits").holds


def test_what_is_said_of_a_worse_model(compared):
    gap = f"{-compared.difference:.6g}"
    least = f"{-compared.intervals['difference_finite'][1]:.6g}"
    said = outcome(compared, "worse by 0.1 bits").sentence()
    assert said == f"worse by 0.1 bits: B costs {gap} bits more than A"
    said = outcome(compared, "clearly worse").sentence()
    assert said == f"clearly worse: B costs at least {least} more than A"
    back = compare(*pair(0, rows=2000, noise=(1.0, 0.2)))
    assert outcome(back, "worse by 0.1 bits").sentence().endswith("bits less than A")
    assert "at most" in outcome(back, "clearly worse").sentence()
    endless = replace(compared, difference=-math.inf, winner="a")
    assert outcome(endless, "clearly worse").sentence() == "clearly worse: B costs inf more than A"


def test_better_is_not_worse(compared):
    back = compare(*pair(0, rows=2000, noise=(1.0, 0.2)))
    assert back.winner == "b"
    for text in ("worse by 0 bits", "clearly worse"):
        assert not outcome(back, text).holds


def test_an_infinite_cost_is_clearly_worse(compared):
    endless = replace(compared, difference=-math.inf, intervals={}, winner="a")
    for text in ("worse by 9 bits", "clearly worse", "clearly worse by 9 bits", "difference < -9"):
        assert outcome(endless, text).holds
    better = replace(endless, difference=math.inf, winner="b")
    assert not outcome(better, "worse by 9 bits").holds
    with pytest.raises(ValueError, match="difference_finite has no interval here"):
        outcome(better, "clearly worse")


def test_few_rows_are_not_clearly_worse():
    few = compare(*pair(0, rows=12, noise=(0.0, 30.0)))
    assert few.intervals["difference_finite"][1] < 0
    assert not outcome(few, "clearly worse").holds


@pytest.mark.parametrize(
    "text",
    ["", "cross_entropy", "cross_entropy = 1", "cross_entropy > x", "cross_entropy > nan", "> 1",
     "worse", "worse by 1", "worse by -1 bits", "cross_entropy > 1 bits more"],
)  # fmt: skip
def test_what_is_no_condition(text):
    with pytest.raises(ValueError, match="expected"):
        condition(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cross > 1", "there is no figure 'cross'; there are rows, weight, cross_entropy,"),
        ("per_class.cow.rows > 1", "there are per_class.cat.rows, per_class.cat.cross_entropy,"),
        ("kl > 1", "kl was not computed here"),
        ("kl.high > 1", "kl has no interval here"),
        ("floor.rows > 1", "floor.rows was not computed here"),
        ("cross_entropy > 1 nats", "this result is in bits; got nats"),
        ("accuracy > 1 bits", "accuracy has no unit; got bits"),
        ("worse by 1 bits", "'worse by 1 bits': expected a comparison of two models"),
    ],
)
def test_what_is_refused(scored, text, said):
    with pytest.raises(ValueError, match="'") as refused:
        outcome(scored, text)
    assert said in str(refused.value)


def test_check(scored):
    scored.check("cross_entropy <= 99 bits", "accuracy >= 0")
    with pytest.raises(AssertionError, match=f"not accuracy > 1: accuracy is {scored.accuracy}"):
        scored.check("cross_entropy <= 99 bits", "accuracy > 1")


def test_tokens_and_many_models():
    tokens = score_tokens(pa.Table.from_pylist(corpus(1)))
    tokens.check("cross_entropy_per_byte < 99 bits")
    label, found, columns = models(0, noise=(0.1, 0.5, 1.0))
    many = compare(*(table(label, each, columns) for each in found))
    many.check("differences.A-C.interval.high < 0 bits", "models.C.accuracy > 0")
    for text, named in (
        ("worse by 0.002 bits", "differences.A-B.difference < -0.002 bits"),
        ("clearly worse", "differences.A-B.interval.high < 0"),
    ):
        with pytest.raises(ValueError, match=f"of two models; got 3, .* such as '{named}'"):
            many.check(text)
        assert outcome(many, named).condition.sign == "<"  # what is proposed can be asked


def test_formats_escape(scored):
    hostile = replace(scored, per_class=(replace(scored.per_class[0], name='<ä>,\n%::"'),))
    found = [outcome(hostile, 'per_class.<ä>,\n%::".rows > 1'), outcome(hostile, "accuracy > 2")]
    assert [each.holds for each in found] == [True, False]
    suites = ElementTree.fromstring(FORMATS["junit"]("plogq score", found))
    counts = {"name": "plogq score", "tests": "2", "failures": "1", "errors": "0", "time": "0"}
    assert suites.attrib == counts
    assert suites[0].attrib == counts | {"skipped": "0"}
    assert [len(case) for case in suites[0]] == [1, 0]
    failure = suites[0][0][0]
    assert failure.attrib == {"message": failure.text, "type": "gate closed"}
    assert suites[0][0].attrib["name"] == 'per_class.<ä>,\\n%::".rows > 1'
    assert FORMATS["junit"]("plogq score", found).isascii()
    for form in ("text", "github"):
        said = FORMATS[form]("plogq score", found)
        assert "\n" not in said
        assert "gate closed" in said
