# expect: PQ306
import jax.numpy as jnp
import optax


def loss(logits, one_hot_labels):
    labels = jnp.argmax(one_hot_labels, axis=-1)
    return optax.softmax_cross_entropy(logits, labels).mean()
