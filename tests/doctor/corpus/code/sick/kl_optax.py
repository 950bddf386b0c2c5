# expect: PQ305
import jax
import optax


def distil(student, teacher):
    q = jax.nn.softmax(student)
    p = jax.nn.softmax(teacher)
    return optax.kl_divergence(q, p).mean()
