# expect: PQ301
import jax
import jax.numpy as jnp
import optax


def predict(params, x):
    return jax.nn.softmax(jnp.dot(x, params["w"]) + params["b"])


def loss(params, x, y):
    return jnp.mean(jax.vmap(optax.softmax_cross_entropy)(predict(params, x), y))


grads = jax.grad(lambda p: optax.softmax_cross_entropy(predict(p, x), y).mean())(params)
