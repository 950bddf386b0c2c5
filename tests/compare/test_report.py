"""The report says who is better only where it is clear, and fits."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

from plogq.compare import compare
from plogq.reports.findings import findings
from plogq.reports.terminal.compare import print_report
from plogq.score import score
from tests.compare.tables import models, pair, table
from tests.compare.test_tokens import other_model, tokens
from tests.lm.corpora import corpus


def shown(result, width=80):
    out = io.StringIO()
    print_report(result, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_a_clear_winner():
    result = compare(*pair(1, rows=2000), slices=["site"])
    text = shown(result)
    assert f"A costs {-result.difference:.4f} bits per row less than B: clearly better" in text
    assert "Slices of site, bits per row" in text
    assert "2,000 rows, paired by their order" in text


def test_no_clear_winner():
    one, other = pair(2, rows=60, noise=(0.5, 0.5))
    text = shown(compare(one, other))
    assert ": not clear" in text
    assert "Compare on about" in text
    assert "No interval says how sure that is." in shown(compare(one, other, bootstrap=0))


def test_the_same_model():
    one, _ = pair(3)
    text = shown(compare(one, one))
    assert "A and B cost the same" in text
    assert "Neither is better on any row." in text


def test_infinite():
    label = np.zeros(4, np.int64)
    p, q = np.full((4, 2), 0.5), np.tile([0.0, 1.0], (4, 1))
    a, b = ({"probs": x, "label": label} for x in (p, q))
    assert "A is clearly better: the cost of B is infinite" in shown(compare(a, b))
    assert "Both A and B cost infinitely much" in shown(compare(b, b))


@pytest.mark.parametrize("width", [80, 60])
def test_it_fits(width):
    label, (a, b), columns = models(4)
    columns |= {"site": ["[red]a long name of a site, with marks " + s for s in columns["site"]]}
    result = compare(table(label, a, columns), table(label, b, columns), slices=["site"])
    text = shown(result, width)
    lines = [line for line in text.splitlines() if not line.endswith(("infinite", "would be"))]
    assert max(map(len, lines)) <= width
    assert "[red]" in text


def test_documents():
    rows = corpus(5, first_unscored=False)
    text = shown(compare(tokens(rows), tokens(other_model(rows))))
    assert "12 documents of" in text
    assert "bits per byte" in text
    assert "Documents where A is better by most" in text
    assert "perplexity per word" in text


def test_a_perplexity_beyond_a_float64_is_told():
    """exp(4000) is no float64: the JSON says infinite, the terminal by which power of ten."""
    sure = {"logits": np.array([[0.0, 4000.0], [4000.0, 0.0]]), "labels": np.array([0, 0])}
    other = {"logits": np.array([[0.0, 1.0], [1.0, 0.0]]), "labels": np.array([0, 0])}
    result = compare(sure, other)
    assert result.a.perplexity == math.inf > result.a.cross_entropy
    assert "  3.88×10⁸⁶⁸  " in shown(result)  # exp(2000)
    meanings = {each.name: each.meaning for each in findings(score(sure)).figures.figures}
    assert "3.88×10⁸⁶⁸" in meanings["perplexity"]
