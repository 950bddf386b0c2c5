"""Rows are called surprising, and their labels doubtful, only where they are: in both reports."""

import io

import numpy as np
import pytest
from rich.console import Console

from plogq.reports.findings import findings
from plogq.reports.html import report_html
from plogq.reports.terminal.score import print_report
from plogq.score import score

INVITED = "ook for wrong labels"


def sure(margin, wrong=0):
    """Forty rows of four classes, the label's logit `margin` above the others; some mislabelled."""
    labels = np.arange(40) % 4
    logits = margin * np.eye(4)[labels]
    labels[:wrong] = (labels[:wrong] + 1) % 4
    return score({"logits": logits, "labels": labels})


def impossible():
    return score({"probs": np.eye(4)[[0, 1, 2, 3, 0]], "labels": np.array([0, 1, 2, 3, 1])})


def unlikely_of_many():
    """A label of probability 0.002 among 1,000 classes costs less than a guess, and is in doubt."""
    q = np.full((5, 1000), 0.008 / 998)
    q[:, 0], q[:, 1] = 0.99, 0.002
    return score({"probs": q, "labels": np.array([0, 0, 0, 0, 1])}, top=1)


# The result, how many of its rows are listed, and whether their labels are doubted.
CASES = {
    "nothing costs anything": (lambda: sure(800.0), 0, False),
    "what shows as 0.0000": (lambda: sure(11.0), 0, False),
    "a little": (lambda: sure(5.0), 20, False),
    "two are wrong, the others cost nothing": (lambda: sure(30.0, wrong=2), 2, True),
    "two are wrong": (lambda: sure(2.0, wrong=2), 20, True),
    "one of probability 0": (impossible, 1, True),
    "one of many classes": (unlikely_of_many, 1, True),
}


def on_terminal(result):
    out = io.StringIO()
    print_report(result, Console(file=out, width=80, highlight=False))
    return out.getvalue()


def test_the_row_in_doubt_is_named_not_the_dearest():
    """An unsure but right row costs more than one of a wrong label."""
    q = np.full((11, 20), 0.05)
    q[10] = 0.02 / 18
    q[10, :2] = 0.5, 0.48
    labels = np.append(np.zeros(10, int), 1)
    found = findings(score({"probs": q, "labels": labels})).surprises
    assert found.title.startswith("Most surprising among those predicted otherwise: row 10")


@pytest.mark.parametrize("case", CASES)
def test_both_reports_list_and_doubt_the_same(case):
    make, rows, doubted = CASES[case]
    result = make()
    found = findings(result)
    words, text = found.surprises, on_terminal(result)
    assert len(result.surprises) >= rows  # the JSON keeps them all
    if rows == 0:
        assert words is None
        assert "urprising" not in text
        assert "cost most were" not in text
    else:
        assert (words.title == "The rows that cost most were predicted right") == (not doubted)
        first_words = "Most surprising" if doubted else "The rows that cost most were"
        section = text.split(f"\n{first_words}")[1].split("\n\n")[0]
        table = section.split("q(label)\n")[1]
        assert len(table.splitlines()) == rows == len(words.rows)
        assert all("0.0000" not in line or "∞" in line for line in table.splitlines())
    assert (INVITED in text) == doubted
    said = [words and words.advice, found.confusion.advice]
    assert any(INVITED in (one or "") for one in said) == doubted


def test_the_page_shows_the_listed_rows_alone(open_page):
    page = open_page(report_html(sure(30.0, wrong=2)))
    assert page.locator("#surprises tbody tr").count() == 2
    page = open_page(report_html(sure(800.0)))
    assert page.locator("#surprises").count() == 0
    assert page.get_by_role("link", name="Surprises").count() == 0
