"""What a call gives: of a function or a layer that is known, of a model, of a tensor's method."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from plogq.doctor.source import apis
from plogq.doctor.source.scopes import argument
from plogq.doctor.source.values import (
    Chain,
    ClassValue,
    Criterion,
    Graph,
    Imported,
    Instance,
    Items,
    Layer,
    Routine,
    Tensor,
    Value,
    reshaped,
)

if TYPE_CHECKING:
    from plogq.doctor.source.flow import Flow, Frame


def called(flow: Flow, call: ast.Call, frame: Frame) -> Value:
    """Return what a call gives, or None where that is not certain."""
    name = flow.qualified(call.func)
    if name is not None:
        return _api(flow, name, call, frame)
    if isinstance(call.func, ast.Attribute):
        of = flow.value(call.func.value, frame)
        if not isinstance(of, Tensor | Criterion | None):
            return _of_model(flow, of, call, frame)
        root = call.func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        imported = isinstance(root, ast.Name) and root.id in flow.imports.names
        own = flow.attribute(call.func, frame)
        if own is not None:
            return applied(flow, own, call, frame)
        return None if imported else _tensor_method(flow, call.func, of, call, frame)
    return applied(flow, flow.value(call.func, frame), call, frame)


def _of_model(flow: Flow, of: Value, call: ast.Call, frame: Frame) -> Value:
    assert isinstance(call.func, ast.Attribute)
    name = call.func.attr
    if isinstance(of, Instance) and name not in apis.MODEL_SAME:
        method = flow.method(of.of, name)
        if method is not None and name not in apis.MODEL_CALLS:
            return flow.returned(method, call, frame, of)
        attribute = flow.attribute(call.func, frame) if method is None else None
        if attribute is not None:
            return applied(flow, attribute, call, frame)
    if name in apis.MODEL_SAME:
        return of
    if name in apis.MODEL_CALLS:
        return applied(flow, of, call, frame)
    if name == "apply" and isinstance(of, Instance):  # flax: the parameters come first
        later = ast.Call(call.func, call.args[1:], call.keywords)
        return applied(flow, of, ast.copy_location(later, call), frame)
    return None


def _tensor_method(
    flow: Flow, func: ast.Attribute, of: Value, call: ast.Call, frame: Frame
) -> Value:
    name = func.attr
    what = apis.METHODS.get(name)
    if what is not None:
        return Tensor(what, call, func.value, of, _axis(flow, call, 0), _units(of))
    if name == "log" and not call.args:
        return _log(of)
    if name in ("to", "astype", "type") and _is_half(flow, call):
        return Tensor("half", call, func.value, of)
    return _passed(flow, name, of, call)


def _passed(flow: Flow, name: str, of: Value, call: ast.Call) -> Value:
    """Return what a function or method that leaves the numbers as they are gives."""
    if name in apis.CASTS:
        half = isinstance(of, Tensor) and of.what == "half"
        return None if half else reshaped(of, cast=True)
    if name in apis.SAME:
        return of
    if name in apis.RESHAPED:
        out = reshaped(of, units=False)
        flat = any(flow.number(each) == -1 for each in call.args) and name in (
            "view",
            "reshape",
        )
        return replace(out, tokens=True) if isinstance(out, Tensor) and flat else out
    return None


def _is_half(flow: Flow, call: ast.Call) -> bool:
    half = {f"{of}.{name}" for of in ("torch", "numpy", "jax.numpy", "tensorflow")
            for name in ("float16", "half", "bfloat16")}  # fmt: skip
    given = [*call.args, *(each.value for each in call.keywords if each.arg == "dtype")]
    return any(flow.qualified(each) in half for each in given)


def _axis(flow: Flow, call: ast.Call, position: int) -> int | None:
    for name in ("dim", "axis"):
        number = flow.number(argument(call, position, name))
        if number is not None:
            return int(number)
    return None


def _api(flow: Flow, name: str, call: ast.Call, frame: Frame) -> Value:
    """Return what the call of something imported gives."""
    named = (argument(call, 0, each) for each in apis.FIRST)
    first = next((each for each in named if each is not None), None)
    if what := apis.FUNCTIONS.get(name):
        of = flow.value(first, frame)
        axis = _axis(flow, call, 1)
        if name.startswith(("jax", "flax", "keras", "tensorflow")) and axis is None:
            axis = -1
        return Tensor(what, call, first, of, axis, _units(of))
    if name in apis.LOGARITHMS:
        return _log(flow.value(first, frame))
    if name in apis.LOSS_FUNCTIONS:
        return Tensor("loss", call)
    api = apis.LOSS_CLASSES.get(name)
    if name == "functools.partial" and len(call.args) == 1:
        of = flow.value(first, frame)
        api = apis.LOSS_FUNCTIONS.get(of.name) if isinstance(of, Imported) else None
    if api is not None:
        return Criterion(api, call, {k.arg: k.value for k in call.keywords if k.arg})
    if name in apis.WRAPPERS:
        return flow.value(first, frame)
    if name in apis.SEQUENTIAL:
        return _sequential(flow, call, frame)
    if name in apis.GRAPHS:
        return Graph(flow.value(argument(call, 1, "outputs"), frame))
    namespace, _, own = name.rpartition(".")
    if namespace in apis.NAMESPACES and first is not None:
        return _passed(flow, own, flow.value(first, frame), call)
    return _layer(flow, name, call)


def _sequential(flow: Flow, call: ast.Call, frame: Frame) -> Value:
    given: Sequence[ast.expr] = call.args
    if len(given) == 1 and (named := _named_layers(flow, given[0])) is not None:
        given = named
    elif len(given) == 1 and isinstance(given[0], (ast.List, ast.Tuple)):
        given = given[0].elts
    elif len(given) == 1 and isinstance(items := flow.value(given[0], frame), Items):
        return Chain(items.values)
    if call.keywords and not given:
        return Chain((None,))
    return Chain(tuple(flow.value(each, frame) for each in given))


def _named_layers(flow: Flow, given: ast.expr) -> list[ast.expr] | None:
    """Return the layers of `OrderedDict([(name, layer), …])`, or of one of a dict."""
    if not isinstance(given, ast.Call) or len(given.args) != 1 or given.keywords:
        return None
    if flow.qualified(given.func) != "collections.OrderedDict":
        return None
    pairs = given.args[0]
    if isinstance(pairs, ast.Dict):
        return list(pairs.values) if all(key is not None for key in pairs.keys) else None
    if not isinstance(pairs, (ast.List, ast.Tuple)):
        return None
    two = [each.elts for each in pairs.elts if isinstance(each, ast.Tuple) and len(each.elts) == 2]
    return [layer for _, layer in two] if len(two) == len(pairs.elts) else None


def _layer(flow: Flow, name: str, call: ast.Call) -> Value:
    if name in apis.LINEAR:
        position, keyword = apis.LINEAR[name]
        units = flow.number(argument(call, position, keyword))
        out: apis.What | None = "scores"
        if name.startswith("keras"):
            at = 1 if keyword == "units" else None
            given = argument(call, at, "activation")
            out = _activation(flow, given)
        return Layer(out, call, axis=-1, units=None if units is None else int(units))
    if name == "keras.layers.Activation":
        return Layer(_activation(flow, argument(call, 0, "activation")), call, axis=-1)
    kind = apis.LAYERS.get(name)
    if kind is None:
        return None
    if kind == "same":
        return Layer(None, call, same=True)
    return Layer(kind, call, axis=-1 if name.startswith("keras") else _axis(flow, call, 0))


def _activation(flow: Flow, given: ast.expr | None) -> apis.What | None:
    """Return what an activation of Keras makes; a layer without one gives scores."""
    if given is None or (isinstance(given, ast.Constant) and given.value is None):
        return "scores"
    if isinstance(given, ast.Constant):
        return apis.ACTIVATIONS.get(str(given.value))
    name = flow.qualified(given)
    return apis.FUNCTIONS.get(name) if name else None


def applied(flow: Flow, of: Value, call: ast.Call, frame: Frame) -> Value:
    """Return what a model, a layer or a function gives for the arguments of a call."""
    first = flow.value(call.args[0], frame) if call.args else None
    match of:
        case Imported():
            return _api(flow, of.name, call, frame)
        case Layer() | Chain() | Graph():
            return through(of, first, call.args[0] if call.args else None)
        case Instance():
            for name in apis.FORWARD:
                if (method := flow.method(of.of, name)) is not None:
                    return flow.returned(method, call, frame, of)
        case Routine():
            return flow.returned(of.function, call, frame, of.of)
        case ClassValue():
            return Instance(of.of)
        case Criterion():
            return Tensor("loss", call)
    return None


def through(of: Value, value: Value, given: ast.expr | None = None) -> Value:
    """Return what a model or a layer makes of a value."""
    match of:
        case Chain():
            for layer in of.layers:
                value = through(layer, value)
            return value
        case Graph():
            return of.output
        case Layer(same=True):
            return value
        case Layer(out=str(what)):
            units = _units(value) if of.units is None else of.units
            inner = value if of.units is None else Tensor("scores", of.made, units=of.units)
            return Tensor(what, of.made, given, inner, of.axis, units)
    return None


def _units(value: Value) -> int | None:
    return value.units if isinstance(value, Tensor) else None


def _log(of: Value) -> Value:
    if isinstance(of, Tensor) and of.what in ("softmax", "sigmoid"):
        return replace(of, what="log_softmax" if of.what == "softmax" else "log_sigmoid")
    return None
