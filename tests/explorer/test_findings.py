"""The sentences of the report say what the numbers say."""

import operator
import re
from dataclasses import replace
from math import inf, log2

import numpy as np
import pytest
from mpmath import mpf

from plogq.reports.findings import findings
from plogq.reports.findings.words import file_name, name
from plogq.reports.numbers import amount, figure, percent
from plogq.reports.verdict import CHECK_COLUMNS, LEAVE, WRONG_LABELS, implausible
from plogq.score import score
from plogq.score.parts import ReliabilityBin
from plogq.tables.sums.level import LEVEL


def sharpened(by, rows=4000, seed=0):
    """Predict with logits that are `by` times what the labels were drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, 4)) * 2
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (q.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return {"logits": logits * by, "labels": labels}


def words(table, **options):
    result = score(table, bootstrap=0, **options)
    return findings(result), result


@pytest.mark.parametrize(
    ("by", "what", "than"), [(2.0, "too sure", operator.gt), (0.5, "too timid", operator.lt)]
)
def test_which_way_the_confidence_is_off(by, what, than):
    found, result = words(sharpened(by))
    assert found.temperature.title == (
        f"The predictions are {what}: T = {figure(result.temperature.value)} fits"
    )
    sure, right = re.findall(r"[\d.]+(?=\xa0%)", found.reliability.title)
    assert than(float(sure), float(right))
    assert found.reliability.advice.startswith("Recalibrate before")
    assert found.recalibration.title.startswith("Recalibrate by")
    assert found.headline.answers[2].text == found.recalibration.advice


def test_calibrated_predictions_are_left_alone():
    found, _ = words(sharpened(1.0))
    assert found.recalibration.title == "No recalibration is shown to help"
    assert found.temperature.title == "No temperature is shown to help"
    assert found.reliability.title == "The model is right about as often as it says"
    assert found.headline.answers[2].text.startswith(LEAVE)


def test_what_all_bins_show_together_is_said():
    """Each bin is off by two standard errors, which may be chance; eight the same way are not."""
    bins = [
        ReliabilityBin(bin=(0.1 * i, 0.1 * (i + 1)), rows=100, confidence=p, accuracy=p + 0.09)
        for i, p in [(i, 0.1 * i + 0.05) for i in range(1, 9)]
    ]
    result = replace(score(sharpened(1.0), bootstrap=0), reliability=tuple(bins))
    found = findings(result).reliability
    assert found.title == "Right more often than it says: 59.0\xa0% of the time, 50.0\xa0% sure"
    assert "No bin by itself" in found.text


def test_the_bin_that_is_named_is_furthest_off_by_its_rows():
    """At a confidence of 1/2, 64 and 400 rows have standard errors of 1/16 and 1/40."""
    off = {64: 0.25, 400: 0.125, 16: 0.375}  # 4, 5 and 3 standard errors; 16, 50 and 6 rows
    bins = tuple(
        ReliabilityBin(bin=(0.4, 0.6), rows=rows, confidence=0.5, accuracy=0.5 + gap)
        for rows, gap in off.items()
    )
    result = replace(score(sharpened(1.0), bootstrap=0), reliability=bins)
    found = findings(result).reliability
    assert found.title == "Where the model is 50.0\xa0% sure, it is right 62.5\xa0% of the time"
    assert "That bin has 400 rows." in found.text
    by_itself = "No bin by itself is off by more than chance"
    assert by_itself in findings(replace(result, reliability=bins[2:])).reliability.text
    assert by_itself not in findings(replace(result, reliability=bins[:1])).reliability.text


def test_a_model_that_is_worse_than_none():
    table = sharpened(1.0)
    found, result = words({**table, "logits": -3 * table["logits"]})
    assert result.information_gain < 0
    assert "more than no model" in found.loss.title
    assert found.headline.answers[1].text.endswith(
        f"the model costs {figure(-result.information_gain)} bits more."
    )
    assert found.headline.answers[2].text == CHECK_COLUMNS


@pytest.mark.parametrize(
    ("ends", "clear"), [((-0.2, -0.01), True), ((-0.2, 0.01), False), (None, True)]
)
def test_columns_are_doubted_only_where_the_interval_is_below_no_model(ends, clear):
    table = sharpened(1.0)
    result = score({**table, "logits": -3 * table["logits"]}, bootstrap=0)
    intervals = {"information_gain": ends} if ends else {}
    result = replace(result, information_gain=-0.1, intervals=intervals, surprises=())
    advice = findings(result).headline.answers[2].text
    assert (advice == CHECK_COLUMNS) == clear


def test_the_dearest_and_the_cheapest_group_are_named():
    table = sharpened(1.0)
    x = table["logits"]
    x[::2] *= 3
    loss = np.log2(np.exp(x).sum(axis=1)) - x[np.arange(4000), table["labels"]] / np.log(2)
    found, _ = words(table | {"site": ["x", "y"] * 2000}, slices=["site"])
    dear, cheap = loss[::2].mean(), loss[1::2].mean()
    assert dear > cheap
    assert found.slices[0].title == (
        f"{name('x')} costs {amount(dear, 'bit')} per row, {name('y')} {figure(cheap)}"
    )
    assert f"{name('x')} has 2,000 rows" in found.slices[0].text


@pytest.mark.parametrize("by", [2.0, 0.5])
def test_what_recalibrating_saves_is_a_share_of_the_cross_entropy(by):
    found, result = words(sharpened(by))
    (said,) = re.findall(r"per row: (.*) of the cross-entropy", found.recalibration.advice)
    assert said == percent(1 - result.refinement / result.cross_entropy)


def test_each_way_saves_what_it_costs_less_than_no_recalibration():
    found, result = words(sharpened(2.0))
    costs = result.recalibration.cross_entropy
    saved = {way.name: way.saved for way in found.recalibration.ways if way.saved is not None}
    assert saved == {each: costs["identity"] - costs[each] for each in costs if each != "identity"}
    assert min(saved.values()) > 0


def test_the_dearest_confusion_is_named_with_its_share_of_the_loss():
    table = sharpened(1.0)
    x, labels = table["logits"], table["labels"]
    loss = np.log(np.exp(x).sum(axis=1)) - x[np.arange(4000), labels]
    top = x.argmax(axis=1)
    cells = {
        (i, j): loss[(labels == i) & (top == j)].sum() for i in range(4) for j in range(4) if i != j
    }
    (i, j), cost = max(cells.items(), key=lambda cell: cell[1])
    found, _ = words(table)
    assert found.confusion.title == (
        f"{name(str(i))} taken for {name(str(j))} costs most: "
        f"{percent(cost / loss.sum())} of the loss"
    )
    right = percent(loss[labels == top].sum() / loss.sum())
    assert f" {right} of the loss is paid on rows whose top class is right" in found.confusion.text


@pytest.mark.parametrize(("kind", "verb"), [("logits", "by"), ("probs", "to the power")])
@pytest.mark.parametrize("by", [2.0, 0.5])
def test_logits_are_divided_by_what_sharpened_them_and_probabilities_undo_it(by, kind, verb):
    table = sharpened(by)
    if kind == "probs":
        q = np.exp(table.pop("logits"))
        table["probs"] = q / q.sum(axis=1, keepdims=True)
    found, _ = words(table)
    (number,) = re.findall(rf"{verb} (\d+\.\d+)", found.recalibration.advice)
    assert float(number) == pytest.approx(by if kind == "logits" else 1 / by, rel=0.1)


@pytest.mark.parametrize("bits", [1000.0, 1100.0, 2000.0, inf])
def test_a_perplexity_beyond_a_float64_is_said_in_digits(bits):
    result = score(sharpened(1.0), bootstrap=0)
    perplexity = 2.0**bits if bits <= 1000 else inf
    result = replace(result, cross_entropy=bits, perplexity=perplexity)
    (found,) = (each for each in findings(result).figures.figures if each.name == "perplexity")
    said = re.search(r": (.*)×10(.*), beyond a float64", found.meaning)
    assert (said is not None) == ("beyond" in found.meaning) == (1024 <= bits < inf)
    if said:
        power = int(said[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
        exact = mpf(2) ** int(bits) / mpf(10) ** power
        assert abs(exact - mpf(said[1])) <= 0.005


def test_the_parts_of_the_loss_are_its_whole():
    found, result = words(sharpened(2.0))
    drawn = [part.value for part in found.loss.parts if part.drawn]
    assert sum(drawn) == pytest.approx(result.cross_entropy, rel=1e-12)


def test_refinement_is_said_to_be_what_the_families_tried_leave():
    found, result = words(sharpened(2.0))
    assert "Refinement is what the recalibration that was taken leaves" in found.loss.text
    for listed, what in ((found.loss.parts, "text"), (found.figures.figures, "meaning")):
        said = {item.name: getattr(item, what) for item in listed}
        assert said["refinement"] == "what recalibrating leaves"
        assert said["miscalibration"] == "what recalibrating saves"
    assert result.refinement == min(result.recalibration.cross_entropy.values())


def test_what_is_impossible_counts_among_the_rows_that_are_worse():
    table = sharpened(1.0, rows=100)
    table["logits"][np.arange(10), table["labels"][:10]] = -inf
    found, result = words(table)
    assert found.headline.title == "Infinite: 10 rows had a label of probability 0"
    assert found.headline.answers[2].text.startswith("Look first at the 10 rows")
    histogram = result.histograms.pointwise_information
    below = [w for w, e in zip(histogram.weight, histogram.edges[1:], strict=True) if e <= 0]
    assert histogram.infinite == pytest.approx(0.1)
    assert percent(sum(below) + histogram.infinite) in found.pointwise.title


def test_the_first_screen_answers_in_its_order():
    table = sharpened(2.0)
    found = findings(score(table | {"site": ["x", "y"] * 2000}, slices=["site"]))
    head = found.headline
    questions = [answer.question for answer in head.answers]
    assert questions == ["How good", "Against what", "What to do", "How sure"]
    assert "read as logits (logits logits, label labels, slice site)" in head.read
    assert head.answers[3].text == ("By 4,000 rows: the intervals come from resampling the rows.")


def test_labels_that_chance_hardly_explains_are_looked_at_first():
    table = sharpened(1.0)
    table["labels"][:3] = table["logits"][:3].argmin(axis=1)
    table["logits"][:3] *= 30
    found, result = words(table)
    advice = found.headline.answers[2].text
    assert advice.startswith(f"{WRONG_LABELS}. 3 labels are so improbable")
    assert found.surprises.advice == f"{WRONG_LABELS}."
    least = (1 - LEVEL) / (4000 * 3)
    assert implausible(result) == sum(item.q_label < least for item in result.surprises) == 3


@pytest.mark.parametrize("fitted", [0.5, 1.0, 2.0])
def test_from_which_probability_a_label_is_implausible(fitted):
    """Where q to the power 1/T is below (1 − LEVEL) / (n (classes − 1)), and T is at least 1."""
    result = score(sharpened(2.0), bootstrap=0)
    least = ((1 - LEVEL) / (4000 * 3)) ** max(fitted, 1.0)
    rows = tuple(
        replace(result.surprises[0], q_label=q, surprisal=-log2(q))
        for q in (0.9 * least, 0.99 * least, 1.01 * least, 1.1 * least)
    )
    temperature = replace(result.temperature, value=fitted)
    assert implausible(replace(result, surprises=rows, temperature=temperature)) == 2


@pytest.mark.parametrize("by", [1.0, 3.0])
def test_labels_that_were_drawn_from_the_model_are_believed(by):
    """Also of a model that is far too sure: the fitted temperature is taken into account."""
    found = [implausible(score(sharpened(by, 400, seed), bootstrap=0)) for seed in range(60)]
    assert sum(map(bool, found)) <= 3


def test_the_code_says_its_overhead():
    found, result = words(sharpened(1.0, rows=500), code=True)
    code = result.code
    assert f"{code.bytes:,} bytes" in found.code.title
    assert percent(code.overhead) in found.code.text
    parts = {part.name: part.value for part in found.code.parts}
    assert parts["framing"] == code.framing_bits_per_row
    assert parts["coder"] == code.coder_bits_per_row


@pytest.mark.parametrize(
    ("path", "last"),
    [("a/b/c.parquet", "c.parquet"), ("s3://bucket/folder/", "folder"), (r"C:\d\e.csv", "e.csv"),
     ("arrays", "arrays"), ("/", "/")],
)  # fmt: skip
def test_a_path_is_named_by_its_last_part(path, last):
    assert file_name(path) == last
