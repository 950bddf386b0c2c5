"""A function of Keras's tensors with its gradient, on the backend that Keras runs on.

On JAX there is float64 beside float32, too.
"""

import keras

BACKEND = keras.backend.backend()
if BACKEND == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)


def value_and_gradient(function, x):
    """Return a function's value, and the gradient of its sum, as arrays of float64."""
    value, gradient = _ON[BACKEND](function, x)
    assert gradient.dtype == x.dtype
    cast = [keras.ops.convert_to_numpy(keras.ops.cast(a, "float64")) for a in (value, gradient)]
    return tuple(cast)


def _on_torch(function, x):
    x = x.clone().requires_grad_()
    value = function(x)
    value.sum().backward()
    return value.detach(), x.grad


def _on_jax(function, x):
    def summed(x):
        value = function(x)
        return value.sum(), value

    gradient, value = jax.grad(summed, has_aux=True)(x)
    return value, gradient


def _on_tensorflow(function, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


_ON = {"torch": _on_torch, "jax": _on_jax, "tensorflow": _on_tensorflow}
