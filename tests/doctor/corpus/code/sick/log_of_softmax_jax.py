# expect: PQ330
import jax
import jax.numpy as jnp


def nll(logits, labels):
    log_p = jnp.log(jax.nn.softmax(logits))
    return -log_p[jnp.arange(len(labels)), labels].mean()
