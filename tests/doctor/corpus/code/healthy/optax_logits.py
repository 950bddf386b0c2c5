# A softmax for accuracy beside a loss of logits.
import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(x)


def loss(params, x, y):
    logits = CNN().apply({"params": params}, x)
    p = jax.nn.softmax(logits)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), p
