"""What numbers and labels may be beside what they were given as is said, with the other reading."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.score import score
from tests.score.tables import drawn


def said(table, **options):
    result = score(table, bootstrap=0, **options)
    return [w.message for w in result.warnings if w.code == "reading"]


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


TABLE = drawn(300, 3, 0)
LOGITS, LABELS = TABLE["logits"], TABLE["labels"]


def test_logits_are_not_doubted():
    assert said(TABLE) == []
    assert said({"logits": np.log(softmax(LOGITS)), "labels": LABELS}) == []
    assert said({"probs": softmax(LOGITS), "labels": LABELS}) == []


@pytest.mark.parametrize(
    ("x", "doubt"),
    [
        (softmax(LOGITS), "sums to 1: are these probabilities?"),
        (1 / (1 + np.exp(-LOGITS)), "lies in [0, 1]: are these probabilities"),
        (np.log2(softmax(LOGITS)), "to base 2"),
        (np.log10(softmax(LOGITS)), "to base 10"),
    ],
    ids=["probabilities", "sigmoids", "base 2", "base 10"],
)
def test_numbers_that_are_no_logits(x, doubt):
    (warning,) = said({"logits": x, "labels": LABELS})
    assert doubt in warning
    wide = {f"logit_{j}": x[:, j] for j in range(3)} | {"label": LABELS}
    (warning,) = said(pa.table(wide))
    assert doubt in warning
    assert "'logit_*'" in warning


def test_a_decision_function_beside_its_negative():
    m = drawn(300, 2, 1)["logits"][:, 1]
    y = (np.random.default_rng(0).random(300) < 1 / (1 + np.exp(-m))).astype(int)
    (warning,) = said({"logits": np.column_stack([-m, m]), "labels": y})
    assert "sigmoid(2m)" in warning
    assert said({"logits": m, "labels": y}) == []
    (warning,) = said({"logits": 1 / (1 + np.exp(-m)), "labels": y})
    assert "--probs logits" in warning


def test_a_lone_column_of_the_chosen_class():
    rng = np.random.default_rng(3)
    p = rng.random(50)
    y = (rng.random(50) < p).astype(int)
    for kind, x in (("probs", np.maximum(p, 1 - p)), ("logits", 9 * np.abs(p - 0.5))):
        (warning,) = said({kind: x, "labels": y})
        assert "--chosen" in warning
    assert said({"probs": p, "labels": y}) == []


@pytest.mark.parametrize("classes", [3, 40])
@pytest.mark.parametrize("kind", ["logits", "probs"])
def test_labels_counted_from_one_of_which_the_last_never_comes(classes, kind):
    x, y = drawn(400, classes, 2).values()
    kept = y < classes - 1
    x, y = x[kept], y[kept]
    x = x if kind == "logits" else softmax(x)
    warnings = said({kind: x, "labels": y + 1})
    assert any("numbered from 1" in each for each in warnings)
    assert said({kind: x, "labels": y + 1}, classes=range(1, classes + 1)) == []


def test_numbers_as_labels_of_named_columns():
    q = softmax(LOGITS)
    wide = pa.table({f"prob_{c}": q[:, j] for j, c in enumerate("xyz")} | {"label": LABELS})
    (warning,) = said(wide)
    assert "0 for x, 1 for y, 2 for z" in warning
    assert "--probs prob_x,prob_y,prob_z" in warning
    named = {"probs": q, "labels": LABELS}
    assert said(named, classes=["x", "y", "z"]) == []


@pytest.mark.parametrize("order", [[1, 0, 2], [1, 2, 0], [2, 1, 0], [2, 0, 1]])
@pytest.mark.parametrize("kind", ["logits", "probs"])
def test_classes_in_another_order_are_told_by_the_figures(order, kind):
    x = 2 * LOGITS if kind == "logits" else softmax(2 * LOGITS)
    warnings = said({kind: x[:, order], "labels": LABELS})
    assert any("in one order?" in each for each in warnings)


def test_a_poor_model_is_not_an_order():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5))
    y = rng.choice(5, 400, p=[0.6, 0.1, 0.1, 0.1, 0.1])
    x[:, 0] += 3  # it says the first class of all
    assert said({"logits": x, "labels": y}) == []


def test_rows_that_come_in_small_parts_are_looked_at_together(tmp_path):
    """What is said depends on the first rows, not on how they lie in files."""
    import pyarrow.parquet as pq

    q = np.round(softmax(LOGITS), 2)
    table = pa.table({"probs": q.tolist(), "label": LABELS})
    for i in range(0, 300, 3):
        pq.write_table(table.slice(i, 3), tmp_path / f"{i:03}.parquet")
    one, other = score(table), score(tmp_path)
    assert one.cross_entropy == other.cross_entropy
    assert [w.message for w in one.warnings] == [w.message for w in other.warnings]
