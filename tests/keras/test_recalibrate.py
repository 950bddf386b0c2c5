"""`Recalibrate`: the numbers of `plogq.score.Recalibration`, as a layer of Keras."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import plogq.keras as pk
from tests.score.test_recalibrate import PARAMETERS, TWO, kept

X = 8 * np.random.default_rng(0).standard_normal((40, 3))
X[0, 1] = X[1, 0] = -np.inf


def plain(calibration):
    return json.loads(calibration.to_json())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("family", PARAMETERS)
def test_a_softmax_after_it_gives_the_recalibrated_probabilities(family, dtype):
    calibration = kept(family)
    x = X.astype(dtype)
    found = pk.Recalibrate(plain(calibration))(ops.convert_to_tensor(x))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = calibration.apply(logits=x)
    assert np.allclose(ops.convert_to_numpy(ops.exp(found)), expected, rtol=2e-5, atol=1e-38)
    assert np.allclose(ops.convert_to_numpy(ops.softmax(found)), expected, rtol=2e-5, atol=1e-38)
    deep = pk.Recalibrate(calibration)(ops.convert_to_tensor(x.reshape(5, 8, 3)))
    assert np.allclose(ops.convert_to_numpy(deep).reshape(40, 3), ops.convert_to_numpy(found))


@pytest.mark.parametrize("family", TWO)
def test_two_classes(family):
    calibration = kept(family, TWO[family], ("no", "yes"))
    x = X[:, :2].astype("float32")
    found = ops.exp(pk.Recalibrate(plain(calibration))(ops.convert_to_tensor(x)))
    expected = calibration.apply(logits=x)
    assert np.allclose(ops.convert_to_numpy(found), expected, rtol=2e-5, atol=1e-38)


@pytest.mark.parametrize("family", PARAMETERS)
def test_a_model_with_it_is_saved_and_loaded(family, tmp_path):
    layer = pk.Recalibrate(plain(kept(family)))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), layer])
    assert model.output_shape == (None, 3)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    a = np.random.default_rng(1).standard_normal((6, 4)).astype("float32")
    assert np.array_equal(model.predict(a, verbose=0), again.predict(a, verbose=0))
    assert np.allclose(np.exp(again.predict(a, verbose=0)).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("family", PARAMETERS)
def test_the_gradient_goes_through(family, value_and_gradient):
    layer = pk.Recalibrate(plain(kept(family)))
    x, label = X[2:6], np.array([0, 1, 2, 0])
    step = 1e-6 * np.random.default_rng(2).standard_normal(x.shape)

    def loss(x):
        return ops.sum(pk.sparse_categorical_crossentropy(label, layer(x), from_logits=True))

    value, slope = value_and_gradient(loss, ops.convert_to_tensor(x, "float64"))
    q = kept(family).apply(logits=x)
    assert np.isclose(value, -np.log(q[np.arange(4), label]).sum(), rtol=1e-12)
    ahead, _ = value_and_gradient(loss, ops.convert_to_tensor(x + step, "float64"))
    behind, _ = value_and_gradient(loss, ops.convert_to_tensor(x - step, "float64"))
    assert np.isclose(ahead - behind, 2 * (slope * step).sum(), rtol=1e-4, atol=1e-12)


def test_half_precision_policies_do_not_reach_it():
    layer = pk.Recalibrate(plain(kept("temperature")), dtype="mixed_float16")
    found = layer(ops.convert_to_tensor(X.astype("float32")))
    expected = kept("temperature").apply(logits=X.astype("float32"))
    assert np.allclose(ops.convert_to_numpy(ops.exp(found)), expected, rtol=2e-5, atol=1e-38)


def test_other_classes_are_refused():
    with pytest.raises(ValueError, match=r"have the 3 classes of the recal.*got shape \(2, 4\)"):
        pk.Recalibrate(plain(kept("vector")))(ops.zeros((2, 4)))
