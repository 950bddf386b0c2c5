"""Rows that do not sum to 1: explained by their digits, divided when asked, or refused."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.score import TableError, score
from plogq.tables.row_sums import rounding_of


def nats(table, **options):
    return score(table, unit="nat", bootstrap=0, **options).cross_entropy


def said(table, **options):
    return [w.message for w in score(table, **options).warnings if w.code == "reading"]


def refused(table, *parts, **options):
    with pytest.raises(TableError) as caught:
        score(table, **options)
    for part in parts:
        assert part in str(caught.value), caught.value


def drawn(rows=200, classes=12, seed=0):
    rng = np.random.default_rng(seed)
    q = rng.dirichlet(np.ones(classes), rows) + 0.002
    q /= q.sum(axis=1, keepdims=True)
    return q, np.array([rng.choice(classes, p=row) for row in q])


@pytest.mark.parametrize("digits", [2, 3, 4])
@pytest.mark.parametrize("kind", ["probs", "logprobs"])
def test_rounded_numbers_are_divided_by_their_sum_and_said(digits, kind):
    q, y = drawn()
    q = (q + 0.02) / (1 + 12 * 0.02)
    x = np.round(q if kind == "probs" else np.log(q), digits)
    p = x if kind == "probs" else np.exp(x)
    p = p / p.sum(axis=1, keepdims=True)
    table = {kind: x, "labels": y}
    if digits == 4:  # within the tolerance: as they are
        p = np.exp(x) if kind == "logprobs" and not said(table) else p
    assert nats(table) == pytest.approx(-np.mean(np.log(p[np.arange(200), y])), rel=1e-12)
    if digits < 4:
        assert any(f"rounded to {digits} digits" in each for each in said(table))


def test_rounded_to_significant_digits_and_to_bfloat16():
    q, y = drawn(seed=1)
    text = np.array([[float(f"{v:.2g}") for v in row] for row in q])
    assert any("rounded to 2 significant" in each for each in said({"probs": text, "labels": y}))
    narrow = q.astype(np.float32).view(np.uint32)
    bfloat = ((narrow + 0x8000) & 0xFFFF0000).view(np.float32)
    (warning,) = said({"probs": bfloat, "labels": y})
    assert "8 significant bits" in warning


def test_what_digits_do_not_explain_is_refused():
    q, y = drawn(seed=2)
    refused({"probs": q * 1.001, "labels": y}, "sum to 1", "--normalise")
    refused({"probs": np.array([[0.5, 0.6]]), "labels": np.array([0])}, "sum 1.1")
    off = np.round(q, 3)
    off[150, 0] += 0.1
    refused({"probs": off, "labels": y}, "sum to 1", "--normalise")


def test_rounded_soft_labels():
    q, y = drawn(seed=3)
    soft = np.round(0.5 * np.eye(12)[y] + 0.5 * drawn(seed=9)[0], 3)
    table = {"probs": q, "labels": soft}
    exact = soft / soft.sum(axis=1, keepdims=True)
    right = -np.mean((exact * np.log(q)).sum(axis=1))
    assert nats(table) == pytest.approx(right, rel=1e-12)
    assert any("soft labels of 'labels'" in each for each in said(table))
    counts = {"probs": q, "labels": soft * 20}
    refused(counts, "--normalise")
    assert nats(counts, normalise=True) == pytest.approx(right, rel=1e-12)


def test_rows_are_divided_by_their_sum_when_asked():
    q, y = drawn(seed=4)
    scale = np.random.default_rng(0).uniform(0.1, 100, (200, 1))
    right = pytest.approx(nats({"probs": q, "labels": y}), rel=1e-12)
    assert nats({"probs": q * scale, "labels": y}, normalise=True) == right
    logs = np.log(q) + np.log(scale)
    assert nats({"logprobs": logs, "labels": y}, normalise=True) == right
    refused({"logprobs": logs, "labels": y}, "--logits")
    for kind in ("logits", "probs"):
        x = q if kind == "logits" else q[:, 0]
        refused({kind: x, "labels": y}, "normalise must go with", normalise=True)
    zero = q.copy()
    zero[3] = 0
    refused({"probs": zero, "labels": y}, "row 3", normalise=True)


def test_code_of_rows_that_are_divided_by_their_sum():
    q, y = drawn(seed=5)
    code = score({"probs": q * 3, "labels": y}, normalise=True, code=True).code
    assert code.exact_bits_per_row == pytest.approx(score({"probs": q, "labels": y}).cross_entropy)
    few = np.round(q, 3)
    exact = score({"probs": few, "labels": y}, code=True)
    assert exact.code.exact_bits_per_row == pytest.approx(exact.cross_entropy, rel=1e-12)


@pytest.mark.parametrize(
    ("row", "kind", "remedy"),
    [([10.0, 90.0], "probs", "in percent?"), ([6.0, 4.0], "probs", "--normalise"),
     ([0.9, 0.8], "probs", "several yes-or-no predictions"), ([-1.0, 2.0], "probs", "--logits"),
     (np.log([0.25, 0.75]), "probs", "--logprobs"), ([0.25, 0.75], "logprobs", "--probs"),
     (np.log2([0.25, 0.75]), "logprobs", "to base 2"), ([1.0, 3.0], "logprobs", "--logits"),
     (np.log10([0.25, 0.75]), "logprobs", "to base 10")],
)  # fmt: skip
def test_what_a_row_may_be_instead(row, kind, remedy):
    refused({kind: np.array([row]), "labels": np.array([0])}, remedy)


@pytest.mark.parametrize(
    ("x", "kind", "remedy"),
    [([90.0, 10.0], "probs", "in percent?"), ([-0.5, -2.0], "probs", "--logprobs"),
     ([-3.0, 2.0], "probs", "--logits"), ([0.5, 0.25], "logprobs", "--probs"),
     ([-3.0, 2.0], "logprobs", "--logits")],
)  # fmt: skip
def test_what_a_lone_column_may_be_instead(x, kind, remedy):
    refused({kind: np.array(x), "labels": np.array([0, 1])}, remedy)


def test_a_lone_probability_just_beyond_its_end():
    """The mean of float32 numbers that are 1 may be above 1; a row of two may sum to as much."""
    table = pa.table({"probs": [1.0000001, -1e-9, 0.75], "label": [1, 0, 1]})
    assert nats(table) == pytest.approx(-np.log(0.75) / 3, rel=1e-14)
    logs = pa.table({"logprobs": [1e-7, np.log(0.75)], "label": [1, 1]})
    assert nats(logs) == pytest.approx(-np.log(0.75) / 2, rel=1e-14)
    refused(pa.table({"probs": [1.01], "label": [1]}), "in [0, 1]")
    assert score(table, code=True).code.escaped_rows == 0


@given(digits=st.integers(2, 5), seed=st.integers(0, 100))
def test_the_digits_are_found(digits, seed):
    x = np.random.default_rng(seed).random((50, 3))
    assert rounding_of(np.round(x, digits)).decimals == digits
    assert rounding_of(np.round(x, digits).astype(np.float32)).decimals == digits
    assert rounding_of(x) == (None, None, None)


def test_numbers_beyond_float32_are_refused_without_a_warning():
    table = {"logits": np.zeros((2, 3)), "labels": np.array([[1.0, 0, 0], [1e300, 0.5, 0.25]])}
    with pytest.raises(TableError, match=r"sum 1e\+300 \(first at row 1\)"):
        score(table)
