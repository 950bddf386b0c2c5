"""Real training with optax's loss replaced."""

import jax
import pytest

pytestmark = pytest.mark.slow  # a whole step is compiled by XLA


@pytest.mark.parametrize("task", ["digits", "characters"])
def test_curves_are_the_same(task):
    from examples.jax_training import LOSSES, train

    steps = 100 if task == "digits" else 20
    with jax.enable_x64(False):
        theirs, ours = (train(task, LOSSES[loss], steps)[0] for loss in ("optax", "plogq"))
    assert theirs[-1] < 0.9 * theirs[0]
    assert ours == pytest.approx(theirs, abs=1e-5)
