# Log-probabilities from log_softmax.
import jax
import jax.numpy as jnp


def entropy(logits):
    log_p = jax.nn.log_softmax(logits)
    return -(jnp.exp(log_p) * log_p).sum(-1)
