# A distribution, for the loss that takes one.
import jax
import optax


def loss(logits, labels):
    return optax.softmax_cross_entropy(logits, jax.nn.one_hot(labels, 10)).mean()
