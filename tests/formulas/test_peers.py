"""The same numbers as other libraries where these define the same loss."""

import numpy as np
import pytest

import plogq
from tests.formulas.calls import SOFT, TEACHER, T, Y, Z

Z, HARD = Z.astype(np.float32), np.round(T).astype(np.float32)
X = np.where(np.isfinite(TEACHER), TEACHER, 0.0)


@pytest.fixture
def optax():
    return pytest.importorskip("optax.losses")


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras.losses")


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("target", [np.eye(X.shape[-1])[Y], SOFT], ids=["one-hot", "soft"])
def test_poly_is_that_of_optax(epsilon, target, optax):
    theirs = optax.poly_loss_cross_entropy(X, target, epsilon=epsilon)
    ours = plogq.poly_from_logits(X, target, epsilon=epsilon).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal_is_that_of_optax(alpha, optax):
    theirs = optax.sigmoid_focal_loss(Z, HARD, alpha=alpha, gamma=1.5)
    ours = plogq.binary_focal_from_logits(Z, HARD, alpha=alpha, gamma=1.5).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_smoothed_labels_are_those_of_optax(optax):
    two = np.stack([1 - HARD, HARD], axis=-1)
    theirs = optax.sigmoid_binary_cross_entropy(Z, optax.smooth_labels(two, 0.2)[:, 1])
    ours = plogq.binary_cross_entropy_from_logits(Z, HARD, label_smoothing=0.2).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("q", [0.2, 0.7])
def test_generalised_cross_entropy_is_that_of_keras(q, keras):
    theirs = keras.CategoricalGeneralizedCrossEntropy(q=q, reduction=None)
    ours = plogq.generalised_cross_entropy_from_logits(X, Y, q=q).value
    np.testing.assert_allclose(ours, theirs(Y, plogq.softmax(X)), rtol=1e-4)


def test_binary_losses_are_those_of_keras(keras):
    theirs = keras.BinaryFocalCrossentropy(
        gamma=2.0, from_logits=True, label_smoothing=0.0, reduction="sum"
    )
    ours = plogq.binary_focal_from_logits(Z, HARD).value
    np.testing.assert_allclose(ours.mean(), theirs(HARD, Z), rtol=1e-4)
    theirs = keras.BinaryCrossentropy(from_logits=True, label_smoothing=0.2, reduction="sum")
    ours = plogq.binary_cross_entropy_from_logits(Z, HARD, label_smoothing=0.2).value
    np.testing.assert_allclose(ours.mean(), theirs(HARD, Z), rtol=1e-4)
