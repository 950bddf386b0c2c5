"""Two language models on the same documents."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from plogq.compare import compare
from plogq.compare.result import Wins
from plogq.lm import score_tokens
from plogq.score import TableError
from tests.lm.corpora import corpus
from tests.lm.oracle import figures


def tokens(rows):
    return pa.Table.from_pylist(rows)


def other_model(rows, seed=0):
    """Give the same texts under other tokens: each in two, of other costs; in another order."""
    rng = np.random.default_rng(seed)
    found = []
    for row in rows:
        head = rng.integers(0, row["bytes"] + 1)
        for size in (int(head), row["bytes"] - int(head)):
            cost = float(np.log(rng.beta(1, 2) + 1e-9))
            found.append(row | {"logprob": cost, "bytes": size})
    names = list(dict.fromkeys(row["doc"] for row in found))
    rng.shuffle(names)
    return [row for name in names for row in found if row["doc"] == name]


@pytest.mark.parametrize("unit", ["bit", "nat"])
def test_figures(unit):
    rows = corpus(1, first_unscored=False)
    others = other_model(rows)
    result = compare(tokens(rows), tokens(others), unit=unit, top=12)
    a, b = figures(rows, unit), figures(others, unit)
    key = "cross_entropy_per_byte"
    assert (result.kind, result.per, result.rows) == ("tokens", "byte", 12)
    assert result.difference == pytest.approx(a[key] - b[key], rel=1e-13)
    for side, expected in ((result.a, a), (result.b, b)):
        for name in (key, "cross_entropy_per_token", "perplexity_per_token", "perplexity_per_word"):
            assert getattr(side, name) == pytest.approx(expected[name], rel=1e-13)
    gaps = {name: a["documents"][name][1] - b["documents"][name][1] for name in a["documents"]}
    sized = {name: gap for name, gap in gaps.items() if not math.isnan(gap)}
    assert result.wins.a == pytest.approx(np.mean([g < 0 for g in sized.values()]), rel=1e-15)
    low, high = result.intervals["difference_finite"]
    assert low < result.difference < high
    assert [x.doc for x in result.largest.a] == sorted(
        (name for name in sized if sized[name] < 0), key=sized.get
    )


@pytest.mark.parametrize(("documents", "few"), [(2, True), (19, True), (20, False)])
def test_few_documents_are_said_to_be_few(documents, few):
    """Some replicates of two documents draw neither, and count for nothing."""
    rows = corpus(1, documents=documents, first_unscored=False)
    result = compare(tokens(rows), tokens(other_model(rows)))
    low, high = result.intervals["difference_finite"]
    assert low <= result.difference <= high
    assert [w.code for w in result.warnings] == (["few_documents"] if few else [])
    alone = score_tokens(tokens(rows))
    assert "cross_entropy_per_byte" in alone.intervals
    assert ("few_documents" in [w.code for w in alone.warnings]) == few


def test_rounding_wins_no_document():
    rows = [{"doc": f"d{i}", "logprob": -1.0, "bytes": 2} for i in range(4)]
    costs = (-1.0, -1.0 + 1e-12, -1.0 - 1e-12, -1.0 + 1e-6)
    others = [row | {"logprob": x} for row, x in zip(rows, costs, strict=True)]
    result = compare(tokens(rows), tokens(others))
    assert result.wins == Wins(0, 1 / 4, 3 / 4)
    assert result.largest.a == ()
    assert [x.doc for x in result.largest.b] == ["d3"]
    back = compare(tokens(others), tokens(rows))
    assert back.wins == Wins(1 / 4, 0, 3 / 4)


def test_it_is_what_each_is_scored():
    rows = corpus(2, first_unscored=False)
    result = compare(tokens(rows), tokens(other_model(rows)))
    assert result.a.cross_entropy_per_byte == score_tokens(tokens(rows)).cross_entropy_per_byte
    assert json.loads(result.to_json())["schema"] == 1


def test_first_tokens_of_other_lengths_are_the_same_text():
    a = {"doc": ["x", "x"], "logprob": [None, -2.0], "bytes": [1, 4]}
    b = {"doc": ["x", "x", "x"], "logprob": [None, -1.0, -1.0], "bytes": [2, 2, 1]}
    result = compare(pa.table(a), pa.table(b), unit="nat")
    assert result.difference == pytest.approx(2 / 4 - 2 / 3, rel=1e-15)


def test_without_bytes_tokens_must_be_as_many():
    a = {"doc": ["x", "x"], "logprob": [-1.0, -2.0]}
    result = compare(pa.table(a), pa.table(a | {"logprob": [-1.0, -1.0]}), unit="nat")
    assert (result.per, result.difference) == ("token", 0.5)
    more = {"doc": ["x"] * 3, "logprob": [-1.0] * 3}
    refused(pa.table(a), pa.table(more), "document 'x' must be the same text", "2 tokens", "got 3")


def test_without_scored_bytes_costs_are_per_token():
    a = {"doc": ["x", "x"], "logprob": [None, -2.0], "bytes": [5, 0]}
    result = compare(pa.table(a), pa.table(a | {"logprob": [None, -1.0]}), unit="nat")
    assert (result.per, result.difference, result.a.bytes) == ("token", 1.0, None)


def refused(a, b, *parts, error=TableError, **options):
    with pytest.raises(error) as caught:
        compare(a, b, **options)
    for part in parts:
        assert part in str(caught.value), caught.value


def test_other_texts_are_refused():
    a = {"doc": ["x", "y"], "logprob": [-1.0, -2.0], "bytes": [3, 4]}
    refused(pa.table(a), pa.table(a | {"bytes": [3, 5]}), "document 'y'", "of 4 bytes; got 5")
    refused(pa.table(a), pa.table(a | {"doc": ["x", "z"]}), "none of the name 'y'")
    more = {name: [*column, column[-1]] for name, column in a.items()} | {"doc": ["x", "y", "z"]}
    refused(pa.table(a), pa.table(more), "none of the name 'z'", "(2 documents against 3)")


def test_tokens_and_predictions_do_not_mix(tmp_path):
    a = pa.table({"doc": ["x"], "logprob": [-1.0], "bytes": [1]})
    refused(a, {"probs": np.ones((1, 1)), "label": [0]}, "both be predictions or both token")
    refused(a, a, "slices must be left out", slices=["s"], error=ValueError)
    refused(a, a, "id must be left out", id="doc", error=ValueError)


@pytest.mark.parametrize(("base", "name"), [(2, "2"), (10, "10")])
def test_another_base_is_noticed(base, name):
    rows = corpus(3, documents=20, first_unscored=False)
    scaled = [row | {"logprob": row["logprob"] / math.log(base)} for row in rows]
    there = compare(tokens(rows), tokens(scaled)).warnings
    back = compare(tokens(scaled), tokens(rows)).warnings
    for warnings, who in ((there, "B"), (back, "A")):
        assert [w.code for w in warnings] == ["other_base"]
        assert f"every cost of {who} is the other's divided by ln {name}" in warnings[0].message
    assert compare(tokens(rows), tokens(other_model(rows))).warnings == ()


def test_impossible_tokens():
    a = {"doc": ["x", "y"], "logprob": [-1.0, -2.0], "bytes": [1, 1]}
    result = compare(pa.table(a), pa.table(a | {"logprob": [-1.0, -math.inf]}))
    assert (result.difference, result.winner, result.intervals) == (-math.inf, "a", {})
    assert [w.code for w in result.warnings] == ["zero_probability"]
