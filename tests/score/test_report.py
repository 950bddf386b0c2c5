"""The report on the terminal: 80 columns, plain where it is not a terminal."""

import io

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from plogq.score import score
from plogq.score.report import print_report


def report(source, *, terminal=False, **options):
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=terminal, highlight=False)
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
    titles = ["bits per row", "What it is made of", "Temperature", "Reliability", "Classes",
              "Slices of site", "Most surprising rows", "hard labels cannot tell"]  # fmt: skip
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert max(map(len, text.splitlines())) <= 80
    assert "(first 20 of 30)" in text
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
    assert "hard labels" not in text


def test_impossible_rows_are_said():
    q = np.array([[0.0, 1.0], [0.25, 0.75]])
    text = report({"probs": q, "labels": np.array([0, 1])})
    assert text.count("inf bits per row") == 1
    assert "without 1 row whose label had probability 0" in text
    assert "! the model gave probability 0" in text


@pytest.mark.parametrize(
    ("sharpness", "advice"),
    [(4.0, "too sure: divide"), (0.25, "too timid: divide"), (1.0, "leave the predictions")],
)
def test_advice_on_temperature(sharpness, advice):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(500, 3)) * 1.5
    labels = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    text = " ".join(report({"logits": z * sharpness, "labels": labels}).split())
    assert advice in text


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
    assert "share of the finite cost (first 20 of 40)" in text
    table = text.split("share of the finite cost")[1].splitlines()
    assert table[2].split()[:4] == ["never", "1", "inf", "0.0%"]
