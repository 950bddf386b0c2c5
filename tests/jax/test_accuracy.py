"""The error budget: a few ulp, and never more than one beyond optax's own error in that dtype."""

import pytest

from tests.jax import accuracy

pytestmark = pytest.mark.slow  # each case is compiled by XLA


@pytest.mark.parametrize("dtype", accuracy.shared.DTYPES, ids=str)
def test_error_budget(dtype):
    for loss, name, ours, theirs in accuracy.rows(dtype):
        assert max(ours) <= accuracy.BOUND, (loss, name)
        if theirs is not None:
            assert ours[0] <= theirs[0] + 1, (loss, name)
            assert ours[1] <= theirs[1] + 1, (loss, name)
