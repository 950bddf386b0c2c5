"""The gradient of a function by each backend of Keras: of weights, and of what layers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np

from plogq.doctor.readings import Array
from plogq.doctor.runtime.looking import LookError


class Taps:
    """What layers give, in order; on JAX zeros are added, of which a gradient can be asked."""

    def __init__(self, zeros: Sequence[Any] | None = None) -> None:
        self._zeros = None if zeros is None else iter(zeros)
        self.outputs: list[Any] = []

    def __call__(self, output: Any) -> Any:
        """Keep what a layer gives, and return what is given on."""
        if self._zeros is not None:
            output = output + next(self._zeros)
        self.outputs.append(output)
        return output


class Gradients(NamedTuple):
    """A loss, what the model gave, and gradients as arrays of NumPy; None where none arrives."""

    loss: float
    output: Any
    weights: list[Array | None]
    layers: list[Array | None]
    layer_outputs: list[Array]


# Takes a batch, the weights and taps, and returns the loss and what the model gives.
Function = Callable[[list[Any], list[Any], Taps], tuple[Any, Any]]


def gradients(
    function: Function, weights: Sequence[Any], batch: list[Any], compiled: dict[Any, Any]
) -> Gradients:
    """Return a loss and its gradients.

    Parameters
    ----------
    function
        Takes a batch, the weights and taps, and returns the loss and what the model gives.
    weights, batch
        Arrays of NumPy.
    compiled
        What JAX compiled for this function and arrays of these shapes; filled here.

    Raises
    ------
    LookError
        The backend cannot train.
    """
    backend = keras.backend.backend()
    if backend not in WAYS:
        raise LookError(f"the backend {backend} has no gradients")
    given = [keras.ops.convert_to_tensor(each) for each in weights]
    with random_kept_of_backend():
        loss, output, of_weights, of_layers, outputs = WAYS[backend](
            function, given, batch, compiled
        )
    return Gradients(
        float(keras.ops.convert_to_numpy(loss)), keras.tree.map_structure(_numpy, output),
        [_numpy(each) for each in of_weights], [_numpy(each) for each in of_layers],
        [_array(each) for each in outputs],
    )  # fmt: skip


@contextmanager
def random_kept_of_backend() -> Iterator[None]:
    """Leave torch's generators as they were: unseeded dropout of Keras draws from them there."""
    if keras.backend.backend() != "torch":
        yield
        return
    from plogq.doctor.runtime.pytorch.untouched import unseen

    with unseen(keras.ops.convert_to_tensor(0.0).device):
        yield


def _numpy(x: Any) -> Array | None:
    return None if x is None else _array(x)


def _array(x: Any) -> Array:
    if hasattr(x, "detach"):
        x = x.detach()
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")))


def _on_torch(
    function: Function, weights: list[Any], batch: list[Any], compiled: dict[Any, Any]
) -> Any:
    import torch

    taps = Taps()
    weights = [each.detach().clone().requires_grad_(each.is_floating_point()) for each in weights]
    with torch.enable_grad():
        loss, output = function(batch, weights, taps)
        layers = [each for each in taps.outputs if each.requires_grad]
        if not loss.requires_grad:
            return loss.detach(), output, [None] * len(weights), [], taps.outputs
        found = torch.autograd.grad(loss, [*weights, *layers], allow_unused=True)
    of_layers = iter(found[len(weights) :])
    return (loss.detach(), output, found[: len(weights)],
            [next(of_layers) if each.requires_grad else None for each in taps.outputs],
            taps.outputs)  # fmt: skip


def _on_tensorflow(
    function: Function, weights: list[Any], batch: list[Any], compiled: dict[Any, Any]
) -> Any:
    import tensorflow as tf

    taps = Taps()
    with tf.GradientTape() as tape:
        for each in weights:
            tape.watch(each)
        loss, output = function(batch, weights, taps)
    found = [
        tf.convert_to_tensor(each) if isinstance(each, tf.IndexedSlices) else each
        for each in tape.gradient(loss, [*weights, *taps.outputs])
    ]
    return loss, output, found[: len(weights)], found[len(weights) :], taps.outputs


def _on_jax(
    function: Function, weights: list[Any], batch: list[Any], compiled: dict[Any, Any]
) -> Any:
    import jax

    def tapped(weights: list[Any], zeros: list[Any], batch: list[Any]) -> Any:
        taps = Taps(zeros)
        loss, output = function(batch, weights, taps)
        return loss, (output, taps.outputs)

    def shapes(weights: list[Any], batch: list[Any]) -> Any:
        taps = Taps()
        function(batch, weights, taps)
        return taps.outputs

    if "jax" not in compiled:
        zeros = jax.tree.map(lambda x: jax.numpy.zeros(x.shape, x.dtype),
                             jax.eval_shape(shapes, weights, batch))  # fmt: skip
        compiled["jax"] = jax.jit(jax.value_and_grad(tapped, (0, 1), has_aux=True)), zeros
    run, zeros = compiled["jax"]
    (loss, (output, outputs)), (of_weights, of_layers) = run(weights, zeros, batch)
    return loss, output, of_weights, of_layers, outputs


WAYS = {"torch": _on_torch, "tensorflow": _on_tensorflow, "jax": _on_jax}
