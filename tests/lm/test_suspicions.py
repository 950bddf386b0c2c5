"""Logprobs that measure no model, or are no natural logarithms, are suspected aloud."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.compare import compare
from plogq.lm import score_tokens
from plogq.lm.readers.base import suspected_base
from plogq.records import Caution
from tests.lm.records import chat, codes, completion, score_records


def test_logprobs_that_are_all_zero(tmp_path):
    result = score_records(tmp_path, completion([("a", 0.0), (" b", -0.0)]))
    assert (result.surprisal, result.perplexity_per_token) == (0.0, 1.0)
    assert [w for w in result.warnings if w.code == "all_certain"] == [
        Caution(
            code="all_certain",
            message="all logprobs are exactly 0: logprobs taken after greedy sampling or top-k 1 "
            "measure no model (ask for logprobs of the raw distribution)",
            rows=2,
        )
    ]


@pytest.mark.parametrize(("zeros", "warned"), [(50, False), (94, False), (95, True), (99, True)])
def test_nearly_all(zeros, warned):
    costs = [0.0] * zeros + [-1.0] * (100 - zeros)
    data = pa.table({"doc": ["a"] * 100, "logprob": costs, "bytes": [1] * 100})
    assert ("all_certain" in codes(score_tokens(data))) == warned


def test_compare_says_whose():
    zero = pa.table({"doc": ["a", "b"], "logprob": [0.0, 0.0], "bytes": [1, 1]})
    some = zero.set_column(1, "logprob", pa.array([-1.0, -1.0]))
    for pair, who in (((zero, some), "A"), ((some, zero), "B")):
        said = [w.message for w in compare(*pair).warnings if w.code == "all_certain"]
        assert len(said) == 1
        assert said[0].startswith(f"{who}: all logprobs are exactly 0")


def answers(base, places=20):
    """A chat with the three likeliest tokens of each place, in logarithms to a base."""
    shares = [(0.6, 0.25, 0.1), (0.85, 0.1, 0.03), (0.4, 0.3, 0.25)]
    record = chat([("a", -0.5)] * places)
    for i, entry in enumerate(record["choices"][0]["logprobs"]["content"]):
        p = shares[i % 3]
        entry["logprob"] = math.log(p[0], base)
        entry["top_logprobs"] = [{"token": str(j), "logprob": math.log(x, base)}
                                 for j, x in enumerate(p)]  # fmt: skip
    return record


@pytest.mark.parametrize(("base", "said"), [(math.e, None), (10, "to base 10"), (2, "to base 2")])
def test_what_tokens_at_one_place_sum_to(base, said, tmp_path):
    result = score_records(tmp_path, answers(base))
    found = [w.message for w in result.warnings if w.code == "other_base"]
    assert len(found) == (said is not None)
    assert all(said in message for message in found)


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_natural_logarithms_are_never_suspected(k, seed):
    """Of the k likeliest of 50 tokens, at 40 places where the model is more or less sure."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(50, rng.choice([0.05, 0.3, 2.0])), 40) + 1e-300
    likeliest = -np.sort(-p, axis=1)[:, :k]
    assert suspected_base(np.log(likeliest).tolist()) is None


@pytest.mark.parametrize(
    ("name", "warned"),
    [("logprob", False), ("log2_prob", True), ("log10prob", True), ("lp", False)],
)
def test_a_column_that_is_called_after_another_base(name, warned):
    data = pa.table({"doc": ["a"], name: [-1.0], "bytes": [2]})
    assert ("other_base" in codes(score_tokens(data, logprob=name))) == warned
