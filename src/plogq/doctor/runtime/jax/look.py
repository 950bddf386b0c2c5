"""A loss of JAX repeated on what it was given: its gradients by layer, and what spoils them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from plogq.doctor.readings import Array
from plogq.doctor.runtime.flat import dead, saturated
from plogq.doctor.runtime.functional import Answer, Batch
from plogq.doctor.runtime.jax.graph import Operation, evaluate, is_floating
from plogq.doctor.runtime.jax.loss_name import NamedLoss
from plogq.doctor.runtime.looking import LookError
from plogq.doctor.runtime.training import Activation, LayerGradient, LookedAtStep, NotFinite

ACTIVATIONS = {"tanh": "tanh", "logistic": "sigmoid", "relu": "relu"}
# Functions that a sigmoid or a tanh is a part of, and whose own slope is another.
OF_PARTS = {"silu", "swish", "gelu", "softplus", "log_sigmoid", "glu", "mish", "hard_tanh"}
MOST_KEPT = 200  # arrays in which the outputs of the loss are looked for
Tree = Any


@dataclass(frozen=True)
class Leaves:
    """The arrays of a tree that are looked at, and how to put others in their place."""

    paths: tuple[str, ...]
    arrays: list[Any]
    rest: list[Any]
    structure: Any

    @classmethod
    def of(cls, tree: Tree, wanted: Callable[[Any], bool]) -> Leaves:
        """Return the leaves of a tree for which it is true."""
        pairs, structure = jax.tree_util.tree_flatten_with_path(tree)
        paths = tuple(
            jax.tree_util.keystr(path, simple=True, separator="/")
            for path, each in pairs if wanted(each)
        )  # fmt: skip
        arrays = [each for _, each in pairs if wanted(each)]
        return cls(paths, arrays, [None if wanted(x) else x for _, x in pairs], structure)

    def tree(self, arrays: Sequence[Any]) -> Tree:
        """Return the tree with other arrays."""
        given = iter(arrays)
        wanted = len(self.rest) - sum(each is not None for each in self.rest)
        assert wanted == len(arrays)
        leaves = [next(given) if each is None else each for each in self.rest]
        return jax.tree_util.tree_unflatten(self.structure, leaves)


def is_array(x: Any) -> bool:
    """Return whether a leaf is an array, and no setting such as True or a name."""
    return hasattr(x, "dtype") and hasattr(x, "shape")


class JaxLoss:
    """A loss of JAX as a function of the weights and the arrays of a batch.

    Parameters
    ----------
    function, has_aux
        The loss, and whether it returns more than its number.
    weights, batch
        The leaves of its first argument that are floating-point, and the arrays of the others.
    """

    def __init__(
        self, function: Callable[..., Any], has_aux: bool, weights: Leaves, batch: Leaves
    ) -> None:
        self._function, self._has_aux = function, has_aux
        self._weights, self._batch = weights, batch
        self._compiled: dict[Any, Any] = {}
        self.known: NamedLoss | None = None
        """The loss by its name, once it was told."""

    def __call__(self, weights: Sequence[Any], batch: Batch) -> Any:
        """Return the loss as JAX computes it."""
        args, kwargs = self._batch.tree(batch)
        out = self._function(self._weights.tree(weights), *args, **kwargs)
        return out[0] if self._has_aux else out

    def _run(self, graph: Any, weights: Any, batch: Batch, visit: Any) -> Any:
        names = [*self._weights.paths, *(None for _ in batch)]
        return evaluate(graph, [*weights, *batch], names, visit)[0]

    def _made(self, what: str, weights: Any, batch: Batch, make: Callable[[Any], Any]) -> Any:
        """Return what is compiled for arrays of these shapes."""
        shapes = tuple((jnp.shape(x), str(x.dtype)) for x in [*weights, *batch])
        key = what, shapes, self.known
        if key not in self._compiled:
            self._compiled[key] = make(jax.make_jaxpr(self)(weights, batch))
        return self._compiled[key]

    def value(self, weights: Sequence[Any], batch: Batch) -> float:
        """Return the loss."""
        weights = list(weights)
        function = self._made("value", weights, batch, lambda graph: jax.jit(self))
        return float(function(weights, batch))

    def answer(self, weights: Sequence[Any], batch: Batch) -> Answer:
        """Return the loss, its gradient, and what it is given."""
        weights = list(weights)

        def make(graph: Any) -> Any:
            def run(weights: Any, batch: Batch) -> Any:
                kept = _Kept(batch)
                loss = self._run(graph, weights, batch, kept)
                return loss, [] if self.known is None else [kept.arrays[self.known.outputs]]

            return jax.jit(jax.value_and_grad(run, has_aux=True))

        (loss, outputs), gradient = self._made("answer", weights, batch, make)(weights, batch)
        known = self.known
        given = None if known is None else known.values(outputs[0], batch[known.target])
        return Answer(float(loss), [np.asarray(each) for each in gradient], given)

    def record(self, weights: list[Any], batch: Batch) -> tuple[float, Recorded, list[Array]]:
        """Return the loss, what each operation gave, and the arrays that the loss may be given."""

        def make(graph: Any) -> Any:
            recorded = Recorded()

            def run(weights: Any, batch: Batch) -> Any:
                kept = _Kept(batch)
                recorded.clear()
                numbers: list[Any] = []

                def visit(operation: Operation, outputs: list[Any]) -> list[Any]:
                    numbers.append(recorded.add(operation, outputs))
                    return kept(operation, outputs)

                return self._run(graph, weights, batch, visit), numbers, kept.arrays

            return jax.jit(run), recorded

        function, recorded = self._made("record", weights, batch, make)
        loss, numbers, arrays = function(weights, batch)
        recorded.numbers = jax.tree.map(np.asarray, numbers)
        return float(loss), recorded, [np.asarray(each) for each in arrays]

    def layers(self, weights: list[Any], batch: Batch, recorded: Recorded) -> list[LayerGradient]:
        """Return the gradient of the loss at what each layer gives."""
        shapes = recorded.layer_shapes

        def make(graph: Any) -> Any:
            def run(taps: list[Any], weights: Any, batch: Batch) -> Any:
                waiting = iter(taps)

                def visit(operation: Operation, outputs: list[Any]) -> list[Any]:
                    if operation.layer and is_floating(outputs[0]):
                        return [outputs[0] + next(waiting), *outputs[1:]]
                    return outputs

                return self._run(graph, weights, batch, visit)

            return jax.jit(jax.grad(run))

        zeros = [jnp.zeros(shape, dtype) for _, _, shape, dtype in shapes]
        found = self._made("layers", weights, batch, make)(zeros, weights, batch)
        squares: dict[tuple[str, str], float] = {}
        for (name, kind, _, _), gradient in zip(shapes, found, strict=True):
            square = float(np.square(np.asarray(gradient, dtype=np.float64)).sum())
            squares[name, kind] = squares.get((name, kind), 0.0) + square
        return [LayerGradient(*key, math.sqrt(square)) for key, square in squares.items()]


class _Kept:
    """The arrays that the loss may be given: of one shape with a target, or with classes more."""

    def __init__(self, batch: Batch) -> None:
        self.arrays: list[Any] = []
        self._shapes = [jnp.shape(each) for each in batch]

    def __call__(self, operation: Operation, outputs: list[Any]) -> list[Any]:
        if len(outputs) == 1 and len(self.arrays) < MOST_KEPT and is_floating(outputs[0]):
            shape = outputs[0].shape
            for each in self._shapes:
                text = len(shape) == 3 and len(each) == 2 and shape[0] == each[0]
                if shape and (shape == each or shape[:-1] == each or text):
                    self.arrays.append(outputs[0])
                    break
        return outputs


class Recorded:
    """What each operation of a loss gave: the places are of the graph, the numbers of a batch."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.layer_shapes: list[tuple[str, str, tuple[int, ...], Any]] = []
        self.numbers: list[Any] = []
        self._last_layer = 0

    def clear(self) -> None:
        """Forget the places."""
        self.operations, self.layer_shapes = [], []

    def add(self, operation: Operation, outputs: list[Any]) -> dict[str, Any]:
        """Keep where an operation stands, and return what is to be known of its outputs."""
        self.operations.append(operation)
        out = outputs[0]
        if not is_floating(out) or not out.size:
            return {}
        if operation.layer:
            self.layer_shapes.append((operation.layer, operation.name, out.shape, out.dtype))
            self._last_layer = len(self.operations)
        # A −infinity is a masked class.
        found: dict[str, Any] = {"nan": jnp.isnan(out).sum(), "inf": jnp.isposinf(out).sum()}
        kind = ACTIVATIONS.get(operation.name)
        if operation.name == "max" and _is_zero(operation.inputs[1]):
            kind = "relu"
        if kind is not None and not OF_PARTS & set(operation.inside):
            found[kind] = dead(out) if kind == "relu" else saturated(kind, out)
        return found

    def activations(self) -> tuple[Activation, ...]:
        """Return the activations before the last layer: what comes behind it are outputs."""
        found = []
        pairs = zip(self.operations, self.numbers, strict=True)
        for operation, numbers in list(pairs)[: self._last_layer]:
            units = operation.shape[-1:] or (1,)
            for kind in ("tanh", "sigmoid"):
                if kind in numbers:
                    share = float(numbers[kind])
                    found.append(Activation(operation.place, kind, share, 0.0, units[0]))
            if "relu" in numbers:
                shares = min((float(share), int(units)) for share, units in numbers["relu"])
                found.append(Activation(operation.place, "relu", 0.0, *shares))
        return tuple(found)

    def not_finite(
        self, step: int, loss: float, weights: dict[str, Any], batch: Batch
    ) -> NotFinite | None:
        """Return where a loss that is not finite begins."""
        if math.isfinite(loss):
            return None
        for of, arrays in (
            ("parameters", weights.items()),
            ("inputs", ((f"array {i} of the batch", x) for i, x in enumerate(batch, 1))),
        ):
            for name, x in arrays:
                if is_floating(x) and (count := int((~jnp.isfinite(x)).sum())):
                    value = "nan" if bool(jnp.isnan(x).any()) else "inf"
                    return NotFinite(step, loss, name, "array", of, value, count, int(x.size))
        for operation, numbers in zip(self.operations, self.numbers, strict=True):
            for value in ("nan", "inf"):
                if numbers and int(numbers[value]):
                    size = math.prod(operation.shape)
                    return NotFinite(step, loss, operation.place, operation.name, "outputs", value,
                                     int(numbers[value]), size)  # fmt: skip
        return NotFinite(step, loss, "", "", "loss", str(loss), 1, 1)


def _is_zero(x: Any) -> bool:
    return not isinstance(x, jax.core.Tracer) and np.shape(x) == () and float(x) == 0.0


def looked_at(
    loss: JaxLoss, weights: Leaves, batch: Batch, number: int, seen: float | None
) -> tuple[LookedAtStep, NotFinite | None, list[Array]]:
    """Return what one step shows, where it is not finite first, and what its loss may be given.

    Raises
    ------
    LookError
        The loss is another one when it is computed again.
    """
    value, recorded, arrays = loss.record(weights.arrays, batch)
    if seen is not None and math.isfinite(seen) and not abs(value - seen) <= (
        0.01 * max(abs(seen), 0.1)
    ):  # fmt: skip
        raise LookError(f"computed again, the loss is {value:.4g} where it was {seen:.4g}")
    layers = loss.layers(weights.arrays, batch, recorded)
    broken = recorded.not_finite(
        number, value, dict(zip(weights.paths, weights.arrays, strict=True)), batch
    )
    if broken is None:
        for each in reversed(layers):  # the gradient comes from behind
            if not math.isfinite(each.norm):
                broken = NotFinite(
                    number, value, each.name, each.kind, "gradient", str(each.norm), 1, 1
                )
                break
    step = LookedAtStep(number, value, tuple(layers), recorded.activations())
    return step, broken, arrays
