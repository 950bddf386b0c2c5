"""Columns of a table of tokens that are not what they are called: each kind is warned of."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from plogq.lm import score_tokens
from plogq.lm.readers import table_doubts
from plogq.records import Caution
from plogq.reports.findings.lm import BY_BYTE, findings
from tests.lm.records import codes

TOKENS = ["The", " café", " was", " shut", ".", " It", " snowed", " – all", " day"]
RNG = np.random.default_rng(3)
DOCUMENTS = [-RNG.gamma(1.2, 1.4, len(TOKENS)) for _ in range(4)]
DOUBTS = {"bytes_not_of_tokens", "lowest_logprob", "running_sums", "masked_tokens", "zero_firsts"}


def table(logprob=lambda x: x, count=lambda text, i: len(text.encode()), name=lambda text: text):
    rows = [
        (f"d{d}", name(text), float(x), count(text, i))
        for d, costs in enumerate(DOCUMENTS)
        for i, (text, x) in enumerate(zip(TOKENS, logprob(costs), strict=True))
    ]
    names = ["doc", "token", "logprob", "bytes"]
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def doubted(data):
    return DOUBTS & set(codes(score_tokens(data, bootstrap=0)))


def test_what_is_right_is_not_doubted():
    assert doubted(table()) == set()
    assert doubted(table(name=str.strip)) == set()  # blanks are lost, and counted


@pytest.mark.parametrize(
    "count",
    [
        lambda text, i: len(text),  # characters
        lambda text, i: i,
        lambda text, i: 1,
        lambda text, i: len("".join(TOKENS[: i + 1]).encode()),
    ],
)
def test_bytes_that_are_not_those_of_the_tokens(count):
    assert doubted(table(count=count)) == {"bytes_not_of_tokens"}


@pytest.mark.parametrize("mark", ["Ġ", "▁"])
def test_names_in_a_vocabulary_say_nothing_of_bytes(mark):
    assert doubted(table(name=lambda text: text.replace(" ", mark).replace("é", "Ã©"))) == set()


def test_marks_spell_nothing():
    data = table(count=lambda text, i: 0 if text == "The" else len(text.encode()),
                 name=lambda text: "<s>" if text == "The" else text)  # fmt: skip
    assert doubted(data) == set()


def test_a_lowest_logprob_that_comes_again():
    assert doubted(table(lambda x: np.append(-100.0, x[1:]))) == {"lowest_logprob"}
    assert doubted(table(lambda x: np.maximum(x, -2.0))) == set()  # too low a cost for a code
    alike = pa.table({"doc": ["a"] * 3, "logprob": [-12.0] * 3, "bytes": [5, 5, 5]})
    assert doubted(alike) == set()


def test_running_sums():
    assert doubted(table(np.cumsum)) == {"running_sums"}
    assert doubted(table(lambda x: np.sort(x))) == set()


@pytest.mark.parametrize("where", [slice(0, 3), slice(-3, None)])
def test_rows_that_are_masked_out(where):
    def masked(x):
        x = x.copy()
        x[where] = 0.0
        return x

    assert "masked_tokens" in doubted(table(masked))
    assert doubted(table(lambda x: np.where(np.arange(len(x)) == 4, 0.0, x))) == set()


def test_first_rows_of_0():
    assert doubted(table(lambda x: np.append(0.0, x[1:]))) == {"zero_firsts"}
    all_zero = table(lambda x: 0 * x)
    assert doubted(all_zero) == set()  # that is said of all of them


def test_what_lies_in_several_parts_is_seen_whole():
    for change in (np.cumsum, lambda x: np.append(0.0, x[1:])):
        whole = table(change)
        for rows in (1, 4, 7):
            parts = pa.concat_tables(whole.slice(i, rows) for i in range(0, len(whole), rows))
            assert doubted(parts) >= doubted(whole) - {"running_sums"}


@pytest.mark.parametrize("name", ["logp2", "log_p10", "base2", "logprob_base_10", "bits"])
def test_a_name_that_says_another_base(name):
    data = pa.table({"doc": ["a"], name: [-1.0], "bytes": [2]})
    assert "other_base" in codes(score_tokens(data, logprob=name))


def test_how_logprobs_are_read_is_said_and_how_columns_are_named():
    data = table()
    notes = score_tokens(data, bootstrap=0).source.notes
    assert "'logprob' is taken for natural logarithms." in notes
    for option in ("doc", "logprob"):
        with pytest.raises(ValueError, match=rf"--{option} names another"):
            score_tokens(data.drop_columns([option]))


@pytest.mark.parametrize("code", sorted(DOUBTS))
def test_a_doubt_stands_at_the_head_and_says_what_to_do(code):
    doubt = Caution(code=code, message="it is doubted", rows=3)
    words = findings(replace(score_tokens(table(), bootstrap=0), warnings=(doubt,)))
    assert len(words.doubts) == 1
    assert words.warnings == []
    assert words.headline.advice != BY_BYTE


def test_every_doubt_of_the_readers_is_among_them():
    emitted = re.findall(r'remarks\.add\(\s*"(\w+)"', Path(table_doubts.__file__).read_text())
    assert set(emitted) == DOUBTS
