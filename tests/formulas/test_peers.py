"""The same numbers as other libraries where these define the same loss."""

import numpy as np
import pytest

import plogq
from tests.formulas.calls import SOFT, TEACHER, Y

losses = pytest.importorskip("optax.losses")
X = np.where(np.isfinite(TEACHER), TEACHER, 0.0)


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("target", [np.eye(X.shape[-1])[Y], SOFT], ids=["one-hot", "soft"])
def test_poly_is_that_of_optax(epsilon, target):
    theirs = losses.poly_loss_cross_entropy(X, target, epsilon=epsilon)
    ours = plogq.poly_from_logits(X, target, epsilon=epsilon).value
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
