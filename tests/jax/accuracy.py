"""How far ours and optax's losses are from mpmath's, in ulp of the input's dtype.

The inputs, what is exact and how an error is measured are those of `tests/torch/accuracy.py`.
"""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import torch

import plogq.jax as pj
import plogq.torch as pt
from tests.torch import accuracy as shared

BOUND = 16  # ulp
OURS = {
    pt.cross_entropy: pj.cross_entropy,
    pt.binary_cross_entropy_with_logits: pj.sigmoid_binary_cross_entropy,
}


def _smoothed(x, labels):
    return optax.smooth_labels(jax.nn.one_hot(labels, x.shape[-1], dtype=x.dtype), 0.125)


def _of_labels(x, labels):
    return optax.softmax_cross_entropy_with_integer_labels(x, labels)


# by the loss and the case: optax's function of logits and target
OPTAX = {
    (pt.cross_entropy, "plain"): _of_labels,
    (pt.cross_entropy, "label smoothing"): lambda x, y: optax.softmax_cross_entropy(
        x, _smoothed(x, y)
    ),
    (pt.cross_entropy, "distributions"): optax.softmax_cross_entropy,
    (pt.cross_entropy, "z-loss"): lambda x, y: (
        _of_labels(x, y) + 0.25 * jax.nn.logsumexp(x, axis=1) ** 2
    ),
    (pt.cross_entropy, "temperature 2"): lambda x, y: _of_labels(x / 2, y),
    (pt.binary_cross_entropy_with_logits, "plain"): optax.sigmoid_binary_cross_entropy,
}


def as_jax(value, dtype):
    """Return a tensor as JAX's array, floats in this dtype, and anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    if not value.is_floating_point():
        return jnp.asarray(value.numpy())
    return jnp.asarray(value.double().numpy(), str(dtype).removeprefix("torch."))


def errors(loss_of, x, exact, dtype):
    """Return the largest errors of the losses and of their gradient."""

    def summed(x):
        loss = loss_of(x)
        return loss.sum(), loss

    grad, loss = jax.jit(jax.grad(summed, has_aux=True))(as_jax(x, dtype))
    loss, grad = (torch.from_numpy(np.array(found, float)) for found in (loss, grad))
    losses, gradients, terms = exact
    plain = [(0, 0)] * len(losses)
    return shared.worst(loss, losses, plain, dtype), shared.worst(grad, gradients, terms, dtype)


def rows(dtype):
    """Yield each case: its name, our errors (loss, gradient), and optax's, None where it has none.

    Each is the worst of all families.
    """
    for loss, (cases, _) in shared.LOSSES.items():
        for name, (target, options, _) in cases.items():
            t = as_jax(target, dtype)
            given = {key: as_jax(value, dtype) for key, value in options.items()}
            functions = [lambda x, loss=loss, t=t, o=given: OURS[loss](x, t, **o)]
            if (loss, name) in OPTAX:
                functions.append(lambda x, loss=loss, name=name, t=t: OPTAX[loss, name](x, t))
            with mpmath.workdps(60):
                families = shared.reference(loss, name, dtype).values()
                worst = [
                    tuple(
                        map(
                            max,
                            zip(
                                *(errors(f, x, exact, dtype) for x, exact, _ in families),
                                strict=True,
                            ),
                        )
                    )
                    for f in functions
                ]
            yield OURS[loss].__name__, name, worst[0], (*worst[1:], None)[0]


def table():
    """Return the figures as a page of Markdown."""
    lines = [
        "| loss | dtype | loss: ours | optax | gradient: ours | optax |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for dtype in shared.DTYPES:
        kind = str(dtype).removeprefix("torch.")
        for loss, name, ours, theirs in rows(dtype):
            (a, c), (b, d) = (
                [f"{v:.2g}" for v in found] if found else ["", ""] for found in (ours, theirs)
            )
            lines.append(f"| `{loss}`, {name} | {kind} | {a} | {b} | {c} | {d} |")
    return "\n".join(lines)
