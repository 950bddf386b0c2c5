"""Every figure against its definition at 60 digits."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from plogq.lm import score_tokens
from plogq.lm.result import TokenCost, Unscored
from tests.lm.corpora import corpus, table
from tests.lm.oracle import figures

RATES = [f"cross_entropy_per_{of}" for of in ("token", "word", "character", "byte")]
PERPLEXITIES = [f"perplexity_per_{of}" for of in ("token", "word", "byte")]


@pytest.mark.parametrize("unit", ["bit", "nat", "hartley"])
@pytest.mark.parametrize("seed", range(4))
def test_figures(seed, unit):
    rows = corpus(seed)
    result, expected = score_tokens(table(rows), unit=unit), figures(rows, unit)
    for name in ["surprisal", *RATES, *PERPLEXITIES]:
        assert getattr(result, name) == pytest.approx(expected[name], rel=4e-16 * 8), name
    scored = [row for row in rows if row["logprob"] is not None]
    assert result.tokens == len(scored)
    assert result.documents == 12
    for column in ("bytes", "words", "characters"):
        assert getattr(result, column) == sum(row[column] for row in scored)


@pytest.mark.parametrize("seed", range(4))
def test_costliest_documents(seed):
    rows = corpus(seed)
    expected = {n: c for n, c in figures(rows)["documents"].items() if not math.isnan(c[1])}
    order = sorted(expected, key=lambda name: -expected[name][1])
    result = score_tokens(table(rows), top=5)
    assert [item.doc for item in result.worst_documents] == order[:5]
    for item in result.worst_documents:
        cost, rate = expected[item.doc]
        assert item.surprisal == pytest.approx(cost, rel=1e-14)
        assert item.cross_entropy_per_byte == pytest.approx(rate, rel=1e-14)


def test_most_surprising_tokens():
    rows = corpus(5)
    position, seen = [], {}
    for row in rows:
        position.append(seen.setdefault(row["doc"], 0))
        seen[row["doc"]] += 1
    costs = [-math.inf if row["logprob"] is None else -row["logprob"] for row in rows]
    order = sorted(range(len(rows)), key=lambda i: (-costs[i], i))[:7]
    result = score_tokens(table(rows), top=7, unit="nat")
    assert result.surprises == tuple(
        TokenCost(rows[i]["doc"], position[i], costs[i], rows[i]["token"]) for i in order
    )


def test_a_first_token_without_logprob_is_counted_and_said():
    rows = corpus(1)
    without = [row for row in rows if row["logprob"] is None]
    result = score_tokens(table(rows))
    size = sum(row["bytes"] for row in without)
    assert result.unscored == Unscored(6, 6, size)
    warning = next(w for w in result.warnings if w.code == "unscored_tokens")
    assert warning.rows == 6
    assert f"bytes: {size:,}" in warning.message


def test_an_impossible_token_costs_inf():
    data = {"doc": ["a", "a", "b"], "logprob": [-1.0, -math.inf, -2.0], "bytes": [1, 1, 1]}
    result = score_tokens(pa.table(data))
    assert result.zero_probability_tokens == 1
    assert result.cross_entropy_per_byte == result.perplexity_per_token == math.inf
    assert result.intervals == {}
    assert result.warnings[0].code == "zero_probability"
    assert result.worst_documents[0].doc == "a"
    found = json.loads(result.to_json())
    assert found["cross_entropy_per_byte"] == found["worst_documents"][0]["surprisal"] == "inf"


@pytest.mark.parametrize("least", [-(2.0**64), -1e30, -1e308, -math.inf])
def test_what_no_sum_can_hold_is_impossible(least):
    data = {"doc": ["a", "a", "b"], "logprob": [-1.0, least, -2.0], "bytes": [1, 1, 1]}
    result = score_tokens(pa.table(data), unit="nat")
    assert (result.zero_probability_tokens, result.surprisal_finite) == (1, 3.0)
    assert result.cross_entropy_per_byte == math.inf


def test_the_mean_of_documents_is_another_number():
    """Trap 33: perplexity averaged per text is not that of the corpus."""
    data = {"doc": ["a"] * 9 + ["b"], "logprob": [-0.1] * 9 + [-5.0], "bytes": [1] * 10}
    result = score_tokens(pa.table(data), unit="nat")
    assert result.cross_entropy_per_token == pytest.approx(0.59, rel=1e-15)
    assert result.perplexity_per_token == pytest.approx(math.exp(0.59), rel=1e-15)
    assert (math.exp(0.1) + math.exp(5)) / 2 > 40 * result.perplexity_per_token


def test_without_bytes_nothing_is_per_byte():
    result = score_tokens(pa.table({"doc": ["a", "b"], "logprob": [-1.0, -3.0]}), unit="nat")
    assert (result.bytes, result.cross_entropy_per_byte) == (None, None)
    assert result.cross_entropy_per_token == 2.0
    assert [item.doc for item in result.worst_documents] == ["b", "a"]
    assert "bytes_unknown" in [w.code for w in result.warnings]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"bytes": [0, 0]}, "no_bytes"),
        ({"bytes": [1, 1], "logprob": [-9.0, -9.0]}, "worse_than_uniform"),
        ({"bytes": [2, 2], "words": [3, 3]}, "more_words_than_text"),
    ],
)
def test_what_looks_wrong_is_said(columns, code):
    data = {"doc": ["a", "b"], "logprob": [-1.0, -1.0]} | columns
    codes = [w.code for w in score_tokens(pa.table(data)).warnings]
    assert code in codes
    fine = {"doc": [f"d{i}" for i in range(20)], "logprob": [-1.0] * 20, "bytes": [1] * 20}
    assert score_tokens(pa.table(fine)).warnings == ()


@pytest.mark.parametrize(("documents", "few"), [(15, True), (20, False)])
def test_few_documents(documents, few):
    data = {"doc": range(documents), "logprob": [-1.0] * documents, "bytes": [1] * documents}
    result = score_tokens(pa.table(data))
    assert result.intervals["cross_entropy_per_token"] is not None
    assert ("few_documents" in [w.code for w in result.warnings]) == few


def test_rounding_above_0_is_0():
    data = {"doc": ["a"], "logprob": [1e-6], "bytes": [1]}
    assert score_tokens(pa.table(data)).cross_entropy_per_byte == 0


@pytest.mark.parametrize(
    "doc",
    [
        pa.array([3, 3, 4]),
        pa.array(["a", "a", "b"], pa.large_string()),
        pa.array(["a", "a", "b"]).dictionary_encode(),
    ],
)
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.float16()])
def test_column_types(doc, kind):
    logprob = pa.array(np.array([-1, -0.5, -2], np.float16)).cast(kind)
    result = score_tokens(
        pa.table({"doc": doc, "logprob": logprob, "bytes": [1, 2, 3]}), unit="nat"
    )
    assert (result.documents, result.cross_entropy_per_byte) == (2, 3.5 / 6)


def test_one_document_has_no_interval():
    data = {"doc": ["a"] * 50, "logprob": [-1.0, -2.0] * 25, "bytes": [1] * 50}
    assert score_tokens(pa.table(data)).intervals == {}
    assert score_tokens(pa.table(data | {"doc": range(50)}), bootstrap=0).intervals == {}


def test_seed_and_bootstrap():
    rows = table(corpus(3, documents=40))
    first = score_tokens(rows)
    assert score_tokens(rows) == first
    assert score_tokens(rows, seed=1).intervals != first.intervals
    low, high = first.intervals["cross_entropy_per_byte"]
    assert low < first.cross_entropy_per_byte < high
    ends = first.intervals["perplexity_per_byte"]
    np.testing.assert_allclose(ends, [2**low, 2**high], rtol=1e-14)
