"""Metrics of all rows, however they come in batches, beside NumPy's float64."""

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.keras as pk  # noqa: E402

R = np.random.default_rng(0)
X, Y = R.normal(size=(60, 5)).astype("float32") * 3, R.integers(0, 5, 60)
W = R.random(60).astype("float32")
P = np.exp(X.astype(float)) / np.exp(X.astype(float)).sum(-1, keepdims=True)
MEAN = (W * -np.log(P[np.arange(60), Y])).sum() / W.sum()


def information_gain():
    shares = np.bincount(Y, W, 5) / W.sum()
    return (-(shares * np.log(shares)).sum() - MEAN) / math.log(2)


def calibration_error(bins):
    confidence, right = P.max(1), P.argmax(1) == Y
    of = np.minimum((confidence * bins).astype(int), bins - 1)
    return np.abs(np.bincount(of, W * (confidence - right), bins)).sum() / W.sum()


METRICS = {
    "perplexity": (pk.Perplexity, {}, lambda: math.exp(MEAN)),
    "bits": (pk.BitsPerLabel, {}, lambda: MEAN / math.log(2)),
    "gain": (
        pk.InformationGain,
        {"num_classes": 5},
        information_gain,
    ),
    "calibration": (pk.CalibrationError, {"bins": 10}, lambda: calibration_error(10)),
}


@pytest.mark.parametrize("name", METRICS)
def test_batches_make_no_difference(name):
    metric, options, right = METRICS[name]
    metric = metric(from_logits=True, **options)
    for i in range(0, 60, 7):
        metric.update_state(Y[i : i + 7], X[i : i + 7], W[i : i + 7])
    assert math.isclose(float(metric.result()), right(), rel_tol=1e-5, abs_tol=1e-6)
    again = type(metric).from_config(metric.get_config())
    again.update_state(np.eye(5)[Y], X, W)  # one-hot rows
    assert math.isclose(float(again.result()), right(), rel_tol=1e-5, abs_tol=1e-6)
    of_probabilities = type(metric)(**options)
    of_probabilities.update_state(Y[:, None], P, W)
    assert math.isclose(float(of_probabilities.result()), right(), rel_tol=1e-5, abs_tol=1e-6)
    metric.reset_state()
    assert float(metric.result()) == (1 if name == "perplexity" else 0)


@pytest.mark.parametrize("name", METRICS)
def test_what_is_left_out_adds_nothing(name):
    metric, options, right = METRICS[name]
    metric = metric(from_logits=True, ignore_class=-1, **options)
    left_out = np.full((1, 5), math.nan, "float32")
    metric.update_state([*Y.tolist(), -1], np.concatenate([X, left_out]), [*W.tolist(), 1.0])
    assert math.isclose(float(metric.result()), right(), rel_tol=1e-5, abs_tol=1e-6)


def test_a_long_sum_keeps_what_rounding_loses():
    metric = pk.BitsPerLabel()
    metric.update_state([0], np.array([[0.5, 0.5]]), [2.0**24])
    for _ in range(3):
        metric.update_state([0], np.array([[0.25, 0.75]]), [1.0])
    total, lost = (keras.ops.convert_to_numpy(part) for part in metric.sums["weight"])
    assert float(total) + float(lost) == 2.0**24 + 3


def test_certainty_has_a_bin():
    metric = pk.CalibrationError(bins=10)
    metric.update_state([0, 1], np.array([[1.0, 0.0], [0.05, 0.95]]))
    assert math.isclose(float(metric.result()), 0.025, rel_tol=1e-5)
