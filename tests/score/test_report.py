"""The report on the terminal: 80 columns, plain where it is not a terminal."""

import io
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from packaging.requirements import Requirement
from rich.cells import cell_len
from rich.console import Console

from plogq.reports.findings.figures import PER_ROW, PLAIN, SHARES
from plogq.reports.numbers import percent, span
from plogq.reports.terminal.decomposition import stack
from plogq.reports.terminal.score import print_report
from plogq.reports.verdict import LEAVE, REST, recalibrate_or_leave
from plogq.score import score
from tests.score.tables import drawn


def report(source, *, terminal=False, width=80, **options):
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False)
    print_report(score(source, **options), console)
    return out.getvalue()


def digits(n=200, classes=30):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, classes)) * 2
    labels = rng.integers(0, classes, n)
    x[np.arange(n), labels] += 4
    names = [f"class with a long name {j}" for j in range(classes)]
    columns = {f"logit_{name}": x[:, j] for j, name in enumerate(names)}
    site = rng.choice(["here", "a place of a very long name, all things considered"], n)
    return pa.table(columns | {"label": labels, "site": site})


def test_order_and_width():
    text = report(digits(), slices=["site"], floor=0.01, top=3)
    titles = ["How good", "bits per row", "Against what", "What to do", "How sure",
              "The model explains", "All figures", "Hard labels cannot",
              "ecalibrat", "held out, under", "emperature", "confidence", "mistaken for",
              "by what was predicted", "Half of the rows", "is worse than no model",
              "Most surprising", "each group scored by itself"]  # fmt: skip
    places = [0]
    for title in titles:
        places.append(text.index(title, places[-1]))
    assert max(map(len, text.splitlines())) <= 80
    assert "The first 20 of 30." in text
    assert "\x1b" not in text


def test_colours_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;32m" in report(digits(), terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in report(digits(), terminal=True)


def test_soft_labels_show_their_floor_instead():
    table = {"probs": np.array([[0.5, 0.5]]), "labels": np.array([[0.25, 0.75]])}
    text = " ".join(report(table).split())
    assert "entropy floor 0.8113" in text
    assert "divergence (KL) 0.1887" in text
    assert "ard labels" not in text


def test_impossible_rows_are_said():
    q = np.array([[0.0, 1.0], [0.25, 0.75]])
    text = report({"probs": q, "labels": np.array([0, 1])})
    assert "Infinite: 1 row had a label of probability 0" in text
    assert "where possible" in text
    assert "! The model gave probability 0" in text


@pytest.mark.parametrize(
    ("sharpness", "kind", "temperature"),
    [
        (4.0, "What to do: Divide the logits by ", "too sure"),
        (0.25, "What to do: Divide the logits by 0.", "too timid"),
        (1.0, f"What to do: {LEAVE}: no recalibration that was tried", "The interval holds 1"),
    ],
)
def test_advice(sharpness, kind, temperature):
    table = drawn(500, 3, 10, lambda z: sharpness * z)
    text = " ".join(report(table).split())
    assert kind in text
    assert temperature in text
    assert REST in text


def test_advice_of_each_family():
    biased = drawn(3000, 3, 2, lambda z: z + np.array([1.0, 0.0, -1.0]))
    assert "Give each class a scale and a shift of its own" in report(biased)
    bent = drawn(8000, 2, 4, lambda z: 2 * np.tanh(2 * z))
    assert "Recalibrate by isotonic regression of the probabilities" in report(bent)
    q = np.exp(drawn(500, 3, 5, lambda z: 2 * z)["logits"])
    p, labels = q / q.sum(axis=1, keepdims=True), drawn(500, 3, 5)["labels"]
    assert "Raise the probabilities to the power 0." in report({"probs": p, "labels": labels})
    logprobs = report({"logprobs": np.log(p), "labels": labels})
    assert "Divide the log-probabilities by 1." in logprobs


def test_advice_of_a_family_that_the_report_has_no_words_for():
    result = score(drawn(3000, 3, 2, lambda z: 2 * z))
    found = replace(result.recalibration, family="beta", parameters={"a": 1.0})
    advice = recalibrate_or_leave(replace(result, recalibration=found))
    assert advice.startswith("Recalibrate by beta (its parameters are in the JSON).")


@pytest.mark.parametrize("saved", [0.0, -1e-18])
def test_a_recalibration_that_saves_nothing_is_not_said_to_save(saved):
    result = score(drawn(500, 3, 2, lambda z: 2 * z), bootstrap=0)
    assert " saves " in recalibrate_or_leave(result)
    advice = recalibrate_or_leave(replace(result, miscalibration=saved))
    assert advice.startswith("Divide the logits by")
    assert "saves" not in advice


def test_advice_on_impossible_rows():
    table = drawn(500, 3, 6)
    table["logits"][0] = [0, -np.inf, -np.inf]
    table["labels"][0] = 1
    text = report(table)
    said = " ".join(text.split())
    assert "What to do: Look first at the row whose label had probability 0" in said
    assert "then mix in 0.0" in said
    assert "Then no label is impossible" in said
    (drawn_to,) = (line for line in text.splitlines() if line.endswith("░░░> ∞"))
    assert drawn_to.startswith("cross-entropy")
    one = {"probs": np.array([[1.0, 0.0]]), "labels": np.array([1])}
    said = " ".join(report(one).split())
    assert "Look first at the row whose label had probability 0" in said
    assert "█ refinement" not in said


def test_the_first_screen_is_one_screen():
    """What matters stands in 24 lines: the answers, and the loss as a stack."""
    table = drawn(500, 10, 10, lambda z: 2 * z)
    first = "\n".join(report(table).splitlines()[:24])
    for part in ("How good", "Against what", "What to do", "How sure", "░ miscalibration"):
        assert part in first


def cells(line, mark):
    return line[15:].find(mark), line.count(mark)


@pytest.mark.parametrize("width", [80, 60, 40, 200])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 2.0, 6.0])
def test_the_stack_is_to_scale(width, sharpness):
    result = score(drawn(600, 4, 7, lambda z: sharpness * z))
    lines = [text.plain.rstrip() for text in stack(result, width)]
    above, below = lines[:2]
    assert cells(above, "█")[0] == cells(below, "█")[0]  # the refinement of both in one place
    assert cells(above, "█")[1] == cells(below, "█")[1]
    assert max(len(above), len(below)) <= width
    longest = max(len(above), len(below)) - 15
    scale = longest / (result.label_entropy + result.miscalibration)
    for line, mark, bits in (
        (above, "━", result.resolution),
        (above, "█", result.refinement),
        (below, "░", result.miscalibration),
    ):
        assert abs(line.count(mark) - bits * scale) <= 1, mark
    assert all(len(line) <= width for line in lines[2:])


def test_a_model_that_tells_less_than_nothing_still_fits_the_stack():
    table = drawn(500, 2, 8)
    result = score(table | {"labels": 1 - table["labels"]})
    assert result.resolution < 0
    assert all(len(text.plain) <= 80 for text in stack(result, 80))


def test_families_that_were_not_tried_say_why():
    text = report(drawn(50, 3, 9))
    assert "not tried: fewer than 60 rows" in text
    assert "taken: the simplest of the best" in text


def test_intervals_stand_beside_the_figures():
    result = score(drawn(300, 3, 10))
    low, high = result.intervals["cross_entropy"]
    assert span((low, high)) in report(drawn(300, 3, 10))
    assert span((low, high)) not in report(drawn(300, 3, 10), bootstrap=0)


def test_every_figure_with_an_interval_stands_beside_it():
    table = drawn(300, 3, 10) | {"labels": np.random.default_rng(0).dirichlet(np.ones(3), 300)}
    result = score(table)
    lines = {line[:20].strip(): line for line in report(table).splitlines()}
    named = PER_ROW | PLAIN
    assert set(result.intervals) <= set(named)
    for key, ends in result.intervals.items():
        ends = " to ".join(map(percent, ends)) if key in SHARES else span(ends)
        assert ends in lines[named[key][0]]


@pytest.mark.parametrize("width", [40, 30])
def test_a_narrow_window_cuts_no_number(width):
    text = report(digits(), slices=["site"], width=width)
    assert re.search(r"\d…", text) is None
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_a_rich_that_cuts_numbers_is_not_taken():
    """14.2 fails the test above, 14.3 does not."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    asked = map(Requirement, project["optional-dependencies"]["app"])
    (versions,) = (one.specifier for one in asked if one.name == "rich")
    assert not versions.contains("14.2.0")
    assert versions.contains("14.3.0")


def test_names_cannot_steer_the_terminal():
    names = ["\x1b[31mred", "[bold]b", "tab\t"]
    q = {f"prob_{name}": [1 / 3] for name in names}
    text = report(pa.table(q | {"label": [names[0]]}))
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text
    assert "[bold]b" in text


def test_classes_of_infinite_cost_come_first():
    n = 40
    q = {f"prob_{j}": np.full(n, 1 / (n - 1)) for j in range(n - 1)} | {"prob_never": np.zeros(n)}
    label = [str(j) for j in range(n - 1)] + ["never"]
    text = report(pa.table(q | {"label": label}), top=0)
    assert "The first 20 of 40." in text
    assert "of the finite loss" in text
    table = text.split("mistaken for\n")[1].splitlines()
    assert table[0].split()[:5] == ["never", "1", "∞", "0.0", "%"]


def test_a_thousand_classes_of_any_name():
    rng = np.random.default_rng(11)
    names = ["שלום עולם", "中文字符", "a" * 200, *(f"class {j}" for j in range(997))]
    x = rng.normal(size=(300, 1000)).astype(np.float32)
    logits = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 1000)
    labels = pa.array(
        [names[j] for j in np.concatenate([np.arange(100), rng.integers(0, 1000, 200)])]
    )
    source = pa.table({"logits": logits, "label": labels})
    text = report(source, classes=names, bootstrap=40)
    assert "The first 20 of " in text
    assert "not tried: more than 128 classes" in text
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= 80
