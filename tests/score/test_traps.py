"""Where other tools give a wrong or surprising number: the case, and what is right."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.score import score


def test_an_impossible_event_is_infinite_whatever_the_dtype():
    """sklearn.metrics.log_loss clips: 18.02 in float64, 7.97 in float32 (scikit-learn#24315)."""
    for dtype in (np.float16, np.float32, np.float64):
        q = np.array([[0.0, 1.0], [0.25, 0.75]], dtype)
        result = score({"probs": q, "labels": np.array([0, 1])}, unit="nat")
        assert result.cross_entropy == math.inf
        assert result.zero_probability_rows == 1
        assert result.cross_entropy_finite == pytest.approx(-math.log(0.75), rel=1e-15)
        assert result.warnings[0].code == "zero_probability"
        assert '"cross_entropy": "inf"' in result.to_json()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_logits_does_not_change_the_score(dtype):
    x = np.array([[20.5, -3.25, 0.0], [0.5, 1.0, 2.0]], dtype)
    result = score({"logits": x, "labels": np.array([1, 0])})
    same = score({"logits": x.astype(np.float64), "labels": np.array([1, 0])})
    assert result.to_json() == same.to_json()


def test_columns_are_not_sorted():
    """sklearn takes the columns in the sorted order of the labels: 36.04 (scikit-learn#30910)."""
    table = pa.table({"prob_dog": [1.0, 0.0], "prob_cat": [0.0, 1.0], "label": ["dog", "cat"]})
    assert score(table).cross_entropy == 0


def test_soft_labels_are_scored():
    """sklearn raises ValueError; the cross-entropy of distributions is what is meant."""
    table = {"probs": np.array([[0.5, 0.5]]), "labels": np.array([[0.25, 0.75]])}
    assert score(table).cross_entropy == 1


def test_a_confidence_of_1_has_no_bin_of_its_own():
    """torchmetrics counts it in an eleventh bin: .525 instead of .475 (torchmetrics#3510)."""
    q = np.array([[1.0, 0.0], [0.95, 0.05]])
    result = score({"probs": q, "labels": np.array([1, 0])})
    assert len(result.reliability) == 10
    last = result.reliability[-1]
    assert last.bin == (0.9, 1.0)
    assert last.rows == 2
    error = abs(last.confidence - last.accuracy)
    assert error == pytest.approx(0.475)


def test_a_mean_over_unequal_blocks_is_the_mean_over_rows(tmp_path):
    """dask-ml averages the blocks' means: 2.226 where 0.877 is right."""
    q = np.array([0.9] * 9 + [0.01])
    table = pa.table({"probs": q, "label": [1] * 10})
    pq.write_table(table.slice(0, 9), tmp_path / "a.parquet")
    pq.write_table(table.slice(9), tmp_path / "b.parquet")
    result = score(tmp_path, unit="nat")
    assert result.cross_entropy == pytest.approx(-np.log(q).mean(), rel=1e-15)


def test_separable_data_do_not_send_the_temperature_away():
    """Elsewhere T runs to 0 or 2.4e7 (gpleiss/temperature_scaling#23)."""
    x = np.eye(3) * 5
    fit = score({"logits": x, "labels": np.arange(3)}).temperature
    assert fit.value == 1 / 64
    assert not fit.identified


def test_probabilities_that_are_none_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        score({"probs": np.array([[2.0, -1.0, 0.5]]), "labels": np.array([0])})
