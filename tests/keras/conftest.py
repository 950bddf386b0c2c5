"""What the Keras tests share."""

import pytest

pytest.importorskip("keras")


@pytest.fixture
def value_and_gradient():
    """Give a function's value and gradient, in float64, on whatever backend Keras runs."""
    from tests.keras.derived import value_and_gradient

    return value_and_gradient
