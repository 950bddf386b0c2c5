"""The error budget: a few ulp, and never more than one beyond Keras's own error in that dtype."""

import pytest

pytest.importorskip("keras")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_error_budget(dtype):
    import torch

    from tests.keras import accuracy

    for loss, name, ours, theirs in accuracy.rows(getattr(torch, dtype)):
        assert max(ours) <= accuracy.BOUND, (loss, name)
        if theirs is not None:
            assert ours[0] <= theirs[0] + 1, (loss, name)
            assert ours[1] <= theirs[1] + 1, (loss, name)
