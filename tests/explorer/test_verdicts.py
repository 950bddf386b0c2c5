"""Whether to recalibrate, and by what: every sentence of both reports says the same."""

import json
import re
from collections import Counter
from math import inf

import numpy as np
import pytest

from plogq.reports.document import to_document
from plogq.reports.findings import findings
from plogq.reports.terminal.decomposition import advice
from plogq.reports.terminal.score import _temperature
from plogq.reports.verdict import HOW, LEAVE, taken
from plogq.score import score
from tests.score.tables import drawn


def sharp(by, rows=400, classes=3):
    def table(seed):
        return drawn(rows, classes, seed, lambda z: by * z)

    return table


def likely(seed):
    logits, labels = drawn(300, 2, seed, lambda z: 1.3 * z).values()
    q = np.exp(logits)
    return {"probs": q / q.sum(axis=1, keepdims=True), "labels": labels}


def weighted(seed):
    return sharp(1.25)(seed) | {"w": np.random.default_rng(seed).exponential(size=400)}


def clustered(seed):
    return sharp(1.25)(seed) | {"g": np.arange(400) % 25}


def one_group(seed):
    return sharp(1.25)(seed) | {"g": np.zeros(400, int)}


def impossible(seed, rows=400):
    table = sharp(1.2, rows)(seed)
    table["logits"][:3, :] = [0, -inf, -inf]
    table["labels"][:3] = 1
    return table


def separable(seed):
    table = sharp(1.0)(seed)
    return table | {"labels": table["logits"].argmax(axis=1)}


def useless(seed):
    table = sharp(1.0)(seed)
    return table | {"labels": table["logits"].argmin(axis=1)}


# What to score: a table by its seed, how many of them, and `plogq.score.score`'s options.
KINDS = {
    "a little too sure": (sharp(1.2), 64, {}),
    "a little too timid": (sharp(0.85), 32, {}),
    "calibrated": (sharp(1.0), 16, {}),
    "far too sure": (sharp(3.0), 4, {}),
    "far too timid": (sharp(0.3), 4, {}),
    "biased": (lambda seed: drawn(900, 3, seed, lambda z: z + np.array([0.5, 0, -0.5])), 8, {}),
    "bent": (lambda seed: drawn(4000, 2, seed, lambda z: 2 * np.tanh(2 * z)), 2, {}),
    "two classes, probabilities": (likely, 16, {}),
    "weighted": (weighted, 16, {"weight": "w"}),
    "clustered": (clustered, 8, {"group": "g"}),
    "one group": (one_group, 8, {"group": "g"}),
    "impossible": (impossible, 8, {}),
    "impossible, of few": (lambda seed: impossible(seed, rows=4), 4, {}),
    "separable": (separable, 4, {}),
    "useless": (useless, 2, {}),
    "few": (sharp(1.5, rows=12), 32, {}),
    "fewer": (sharp(1.5, rows=5), 8, {}),
    "one class": (sharp(1.0, rows=30, classes=1), 1, {}),
}


def said_to_do(text):
    """Give what a sentence says to do: "leave", "recalibrate", or nothing."""
    found = {"leave"} if LEAVE in text.lower() else set()
    if re.search(r"Recalibrate by|Recalibrate:|Divide the|Take the log|recalibrating saves", text):
        found.add("recalibrate")
    return found


def temperatures(text):
    """Give the temperatures by which a sentence says to divide."""
    divided = r"(?:ivide the logits by|Take the log-probabilities over) (\d[\d.]*\d|\d)"
    power = r"raise the probabilities to the power (\d[\d.]*\d|\d)"
    return [float(t) for t in re.findall(divided, text)] + [
        1 / float(t) for t in re.findall(power, text)
    ]


def check(result):
    """Assert that nothing is contradicted; give what was said, with what was taken."""
    document = to_document(result)
    found = findings(document)
    family = taken(result.recalibration)
    on_page = [
        found[name][part] or ""
        for name in ("loss", "temperature", "reliability", "recalibration")
        if found[name]
        for part in ("title", "text", "advice")
    ]
    fit = result.temperature
    line = "" if fit is None else _temperature(fit, family).plain
    sentences = [*on_page, advice(result).plain, line]
    verdicts = set().union(*map(said_to_do, sentences))
    assert len(verdicts) <= 1, sentences
    assert ("recalibrate" in verdicts) == (family is not None), sentences
    if family is None:
        assert "before recalibrating" not in " ".join(sentences)
    elif found["temperature"]:
        by = found["temperature"]["advice"]
        if family == "temperature":
            (dear,), (same,) = temperatures(by), temperatures(advice(result).plain)
            assert dear == pytest.approx(same, rel=5e-3)
            assert "neither too sure" not in line
        else:
            assert by == f"Recalibrate by {HOW[family]}."
            assert found["recalibration"]["title"] == by.removesuffix(".")
    outside = fit is not None and fit["identified"] and not (
        fit["interval"][0] <= 1 <= fit["interval"][1]
    )  # fmt: skip
    if outside:
        which = "too sure" if fit["value"] > 1 else "too timid"
        hedged = family is None
        for sentence in (line, found["temperature"]["title"]):
            assert which in sentence.lower()
            assert ("shown to help" in sentence) == hedged
    return family, outside


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_contradicts_another(kind):
    table, seeds, options = KINDS[kind]
    cases = Counter(check(score(table(i), bootstrap=0, **options)) for i in range(seeds))
    if kind == "a little too sure":  # the hard one: left alone though 1 is outside
        assert min(cases[None, True], cases[None, False], cases["temperature", True]) >= 3


def test_a_temperature_may_be_taken_though_its_interval_holds_1():
    result = score(sharp(1.5)(0), bootstrap=0)
    assert result.recalibration["family"] == "temperature"
    document = json.loads(result.to_json())
    document["temperature"]["interval"] = [0.9, 1.9]
    words = findings(to_document(document))["temperature"]
    assert "leaving the predictions as they are" not in words["title"]
    assert temperatures(words["advice"]) == [pytest.approx(result.temperature["value"], rel=5e-3)]
    wide = result.temperature | {"interval": [0.9, 1.9]}
    assert "cost less with it" in _temperature(wide, "temperature").plain


def test_what_was_not_tried_is_not_called_useless():
    result = score(sharp(1.0, rows=5)(0), bootstrap=0)
    found = findings(to_document(result))
    assert found["recalibration"]["title"] == "No recalibration could be tried"
    assert found["recalibration"]["text"] == "Fewer than 10 rows."
    assert found["loss"]["advice"] is None
    assert "could be tried (fewer than 10 rows)" in advice(result).plain
