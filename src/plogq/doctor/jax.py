"""The doctor beside a training of JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plogq.doctor.check import TRAINING, chosen
from plogq.errors import check_count, refuse
from plogq.extras import needed_by

with needed_by("plogq.doctor.jax"):
    from plogq.doctor.runtime.jax.watch import Watch

__all__ = ["Watch", "watch"]


def watch(
    loss_fn: Callable[..., Any], *, has_aux: bool = False, steps: int = 3, probes: bool = True,
    untrained: bool = False, select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> Watch:  # fmt: skip
    """Return a context manager that looks at the first steps of a training of JAX.

    `look(params, *batch)`, in the loop, computes the loss of a step again, operation by operation.
    It costs nothing after the first steps. Where there is no such place, as in `scan`, `loss` is
    called instead of the function: what it is given is then brought to the processor at each
    call, for as long as the compiled function is used.

    Parameters
    ----------
    loss_fn
        Takes the weights, any tree of arrays, and then the batch; returns one number.
    has_aux
        Whether it returns a pair, whose first is the loss, as `jax.value_and_grad` has it.
    steps
        How many steps are looked at.
    probes
        Whether to try whether a batch can be learnt by heart, and what other labels and half a
        batch cost.
    untrained
        Whether the weights have not been trained before: a first loss far from ln C is then found.
    select, ignore
        Codes of checks, or how codes begin.

    Raises
    ------
    TypeError, ValueError
        The loss is no function, or an option is none.
    ModuleNotFoundError
        JAX is not installed.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> def loss(params, x, y):
    ...     p = jax.nn.softmax(x @ params["w"])
    ...     return -jnp.take_along_axis(jax.nn.log_softmax(p), y[:, None], axis=1).mean()
    >>> step = jax.jit(jax.value_and_grad(loss))
    >>> params = {"w": jax.random.normal(jax.random.key(0), (4, 3))}
    >>> x, y = jax.random.normal(jax.random.key(1), (12, 4)), jnp.arange(12) % 3
    >>> with watch(loss) as d:
    ...     for _ in range(3):
    ...         d.look(params, x, y)
    ...         value, gradient = step(params, x, y)
    ...         params = jax.tree.map(lambda w, g: w - 0.1 * g, params, gradient)
    >>> d.diagnosis.findings[0].code
    'PQ101'
    """
    if not callable(loss_fn):
        refuse("loss_fn", "be a function", type(loss_fn).__name__, error=TypeError)
    check_count("steps", steps, least=1)
    chosen(TRAINING, select, ignore)  # refuses codes that there are not
    return Watch(loss_fn, has_aux, steps, probes, untrained, select, ignore)
