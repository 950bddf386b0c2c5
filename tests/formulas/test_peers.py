"""The same numbers as other libraries where these define the same loss."""

import numpy as np
import pytest

import plogq
from tests.formulas.calls import SOFT, TEACHER, T, Y, Z

losses = pytest.importorskip("optax.losses")
HARD = np.round(T)
X = np.where(np.isfinite(TEACHER), TEACHER, 0.0)


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("target", [np.eye(X.shape[-1])[Y], SOFT], ids=["one-hot", "soft"])
def test_poly_is_that_of_optax(epsilon, target):
    theirs = losses.poly_loss_cross_entropy(X, target, epsilon=epsilon)
    ours = plogq.poly_from_logits(X, target, epsilon=epsilon).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal_is_that_of_optax(alpha):
    theirs = losses.sigmoid_focal_loss(Z, HARD, alpha=alpha, gamma=1.5)
    ours = plogq.binary_focal_from_logits(Z, HARD, alpha=alpha, gamma=1.5).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_smoothed_labels_are_those_of_optax():
    two = np.stack([1 - HARD, HARD], axis=-1)
    theirs = losses.sigmoid_binary_cross_entropy(Z, losses.smooth_labels(two, 0.2)[:, 1])
    ours = plogq.binary_cross_entropy_from_logits(Z, HARD, label_smoothing=0.2).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
