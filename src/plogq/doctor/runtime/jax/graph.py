"""A loss of JAX as the operations it is made of: each is visited while they are computed anew."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

# Operations that only hold others: those inside are visited. Of loops and of functions with a
# derivative of their own, which would be lost, the outputs alone are seen.
HOLDERS = ("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint")
LAYERS = ("dot_general", "conv_general_dilated", "gather", "ragged_dot")
PACKAGES = ("site-packages", "dist-packages")
OURS = Path(__file__).parents[3]


@dataclass(frozen=True)
class Origin:
    """What a value was computed of: which weights, and whether the batch."""

    weights: frozenset[str] = frozenset()
    batch: bool = False

    def __or__(self, other: Origin) -> Origin:
        """Return what two values were computed of."""
        return Origin(self.weights | other.weights, self.batch or other.batch)


@dataclass(frozen=True)
class Operation:
    """An operation, and where it stands.

    Attributes
    ----------
    name
        Of its primitive, or of the function that it computes, such as "relu".
    inside
        The names of the functions that it is inside of.
    layer
        The path of the weights that it multiplies or looks up; empty where it does not.
    equation
        As JAX has it.
    inputs
        What it is given.
    """

    name: str
    inside: tuple[str, ...]
    layer: str
    equation: JaxprEqn
    inputs: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first output."""
        aval: Any = self.equation.outvars[0].aval
        shape: tuple[int, ...] = aval.shape
        return shape

    @property
    def place(self) -> str:
        """The file and the line that called it, such as "train.py:12"; or its name."""
        trace = self.equation.source_info.traceback
        frames: Sequence[Any] = () if trace is None else trace.frames
        for frame in frames:
            path = Path(frame.file_name)
            if not set(PACKAGES) & set(path.parts) and OURS not in path.parents:
                return f"{path.name}:{frame.line_num}"
        return self.name


Visit = Callable[[Operation, list[Any]], list[Any]]


def evaluate(
    graph: ClosedJaxpr, values: Sequence[Any], weights: Sequence[str | None], visit: Visit
) -> list[Any]:
    """Return what a graph gives; `visit` sees each operation's outputs, and may change them.

    Parameters
    ----------
    graph
        Of `jax.make_jaxpr`.
    values
        Its inputs.
    weights
        Of each input the path, if it is a weight; None for the batch.
    visit
        Takes an operation and its outputs, and returns its outputs.
    """
    origins = [
        Origin(batch=True) if each is None else Origin(frozenset([each])) for each in weights
    ]
    found, _ = _evaluate(graph.jaxpr, graph.consts, values, origins, (), visit)
    return found


def _evaluate(
    graph: Any, constants: Sequence[Any], values: Sequence[Any], origins: Sequence[Origin],
    inside: tuple[str, ...], visit: Visit,
) -> tuple[list[Any], list[Origin]]:  # fmt: skip
    known: dict[Any, tuple[Any, Origin]] = {}
    known |= {
        each: (value, Origin()) for each, value in zip(graph.constvars, constants, strict=True)
    }
    for each, value, origin in zip(graph.invars, values, origins, strict=True):
        known[each] = value, origin

    def read(atom: Any) -> tuple[Any, Origin]:
        return (atom.val, Origin()) if isinstance(atom, Literal) else known[atom]

    for equation in graph.eqns:
        given, of = zip(*map(read, equation.invars), strict=True) if equation.invars else ((), ())
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in HOLDERS and inner is not None:
            closed = isinstance(inner, ClosedJaxpr)
            outputs, origins_out = _evaluate(
                inner.jaxpr if closed else inner, inner.consts if closed else (), given, of,
                (*inside, str(equation.params.get("name", ""))), visit,
            )  # fmt: skip
        else:
            bound = equation.primitive.get_bind_params(equation.params)
            functions, parameters = (
                bound if isinstance(bound, tuple) else ((), bound)
            )  # before 0.10
            got = equation.primitive.bind(*functions, *given, **parameters)
            operation = Operation(_name(equation), inside, _layer(equation, of), equation, given)
            outputs = visit(operation, list(got) if equation.primitive.multiple_results else [got])
            origins_out = [functools.reduce(Origin.__or__, of, Origin())] * len(outputs)
        for each, value, origin in zip(equation.outvars, outputs, origins_out, strict=True):
            known[each] = value, origin
    last = [read(each) for each in graph.outvars]
    return [value for value, _ in last], [origin for _, origin in last]


def _name(equation: JaxprEqn) -> str:
    """Return the name of a primitive; of a function with its own derivative, that function's."""
    inner = equation.params.get("call_jaxpr")
    if isinstance(inner, ClosedJaxpr) and inner.jaxpr.eqns:
        return str(inner.jaxpr.eqns[0].params.get("name", equation.primitive.name))
    return str(equation.primitive.name)


def _layer(equation: JaxprEqn, origins: Sequence[Origin]) -> str:
    """Return the path of the weights that an operation brings to what comes of the batch."""
    if equation.primitive.name not in LAYERS or not any(each.batch for each in origins):
        return ""
    own = [each.weights for each in origins if each.weights and not each.batch]
    return min(own[0]) if own else ""


def is_floating(x: Any) -> bool:
    """Return whether an array holds floating-point numbers."""
    dtype = getattr(x, "dtype", None)
    return dtype is not None and bool(jax.numpy.issubdtype(dtype, jax.numpy.floating))
