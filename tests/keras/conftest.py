"""What the Keras tests share: float64 beside float32 on JAX, too."""

import pytest

keras = pytest.importorskip("keras")

if keras.backend.backend() == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def value_and_gradient():
    """Give a function's value and gradient, in float64, on whatever backend Keras runs."""
    return _ON[keras.backend.backend()]


def _numpy(*arrays):
    cast = [keras.ops.convert_to_numpy(keras.ops.cast(a, "float64")) for a in arrays]
    return tuple(cast)


def _on_torch(function, x):
    x = x.clone().requires_grad_()
    value = function(x)
    value.sum().backward()
    assert x.grad.dtype == x.dtype
    return _numpy(value.detach(), x.grad)


def _on_jax(function, x):
    import jax

    gradient = jax.grad(lambda x: function(x).sum())(x)
    assert gradient.dtype == x.dtype
    return _numpy(function(x), gradient)


def _on_tensorflow(function, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    gradient = tape.gradient(value, x)
    assert gradient.dtype == x.dtype
    return _numpy(value, gradient)


_ON = {"torch": _on_torch, "jax": _on_jax, "tensorflow": _on_tensorflow}
