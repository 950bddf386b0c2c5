# expect: PQ333
import jax.numpy as jnp


def total(losses):
    small = losses.astype(jnp.bfloat16)
    return small.sum()
