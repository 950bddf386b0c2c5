# expect: PQ316
import jax
import optax


def loss(params, apply, x, labels):
    p = jax.nn.softmax(apply(params, x))
    return optax.squared_error(p, jax.nn.one_hot(labels, 10)).mean()
