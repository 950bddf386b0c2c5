# expect: PQ304
import jax
import optax


def loss(apply, params, x, y):
    p = jax.nn.sigmoid(apply(params, x))
    return optax.sigmoid_binary_cross_entropy(p, y).mean()
