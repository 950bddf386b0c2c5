"""What the pages of the checks say of a framework is what it does."""

import numpy as np
import pytest

from plogq.doctor.losses import KERAS_EPS, LOSSES, TORCH_EPS
from plogq.doctor.readings import log_of_shares
from tests.doctor.corpus.values.draws import logits, softmax

X = logits(4, 4, 1)
LOG_Q = np.log(softmax(X))


@pytest.fixture(scope="module")
def optax():
    return pytest.importorskip("optax")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def test_optax_takes_indices_for_weights(optax):
    found = optax.softmax_cross_entropy(X, np.arange(4.0))
    np.testing.assert_allclose(found, -(LOG_Q * np.arange(4.0)).sum(axis=1), rtol=1e-5)


def test_optax_gives_nan_for_a_class_too_high_and_the_last_class_for_minus_1(optax):
    found = optax.softmax_cross_entropy_with_integer_labels(X, np.array([4, -1, 0, 1]))
    assert np.isnan(found[0])
    assert float(found[1]) == pytest.approx(-LOG_Q[1, 3], rel=1e-5)


def test_what_optax_broadcasts(optax):
    column, row = np.zeros((3, 1), np.float32), np.zeros(3, np.float32)
    assert LOSSES["jax"]["sigmoid_binary_cross_entropy"].broadcasts
    assert optax.sigmoid_binary_cross_entropy(column, row).shape == (3, 3)
    with pytest.raises(ValueError, match="Shape mismatch"):
        optax.squared_error(column, row)


def test_what_torch_broadcasts(torch):
    column, row = torch.zeros(3, 1), torch.zeros(3)
    for name, loss in LOSSES["torch"].items():
        if loss.broadcasts:
            with pytest.warns(UserWarning, match="broadcasting"):
                getattr(torch.nn.functional, name)(column, row)
        elif loss.of == "sigmoid":
            with pytest.raises(ValueError, match="size"):
                getattr(torch.nn.functional, name)(column, row)


def test_what_torch_refuses_of_targets(torch):
    loss, x = torch.nn.functional.cross_entropy, torch.from_numpy(X)
    with pytest.raises(RuntimeError, match="floating point"):
        loss(x, torch.eye(4, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="Long"):
        loss(x, torch.arange(4.0))


def test_torch_gives_nan_where_nothing_counts(torch):
    loss, x = torch.nn.functional.cross_entropy, torch.from_numpy(X)
    assert loss(x, torch.full((4,), -100)).isnan()
    assert loss(x, torch.zeros(4, dtype=int), weight=torch.tensor([0.0, 1, 1, 1]).double()).isnan()


def test_where_torch_cuts_probabilities(torch):
    p, one = torch.tensor([0.0], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy(p, one)
    assert float(loss) == pytest.approx(-np.log(TORCH_EPS), rel=1e-15)


def test_keras_divides_by_the_sum_and_cuts():
    keras = pytest.importorskip("keras")
    if keras.backend.backend() == "tensorflow":
        pytest.skip("on TensorFlow it cuts first, and then divides by the sum")
    rows = np.concatenate([X, LOG_Q, softmax(X)])
    loss = keras.losses.sparse_categorical_crossentropy
    found = [keras.ops.convert_to_numpy(loss(np.full(len(rows), j), rows)) for j in range(4)]
    assert keras.config.epsilon() == KERAS_EPS
    np.testing.assert_allclose(
        np.transpose(found), -log_of_shares(rows, KERAS_EPS), rtol=1e-5, atol=1e-6
    )
