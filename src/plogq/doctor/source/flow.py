"""What expressions are: followed through assignments, functions and modules of one file."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from plogq.doctor.source import apis
from plogq.doctor.source.imports import Imports
from plogq.doctor.source.scopes import Assigned, Function, Parameter, Scope, Scopes, arguments
from plogq.doctor.source.values import (
    Chain,
    ClassValue,
    Criterion,
    Graph,
    Instance,
    Items,
    Layer,
    Routine,
    Tensor,
    Value,
    alike,
    reshaped,
)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DEEPEST = 24  # calls and assignments, one inside the other, that are followed
MOST_STEPS = 10_000  # expressions that are looked at for one question
# Decorators that leave what a function gives as it is.
DECORATORS = ("jit", "compile", "compact", "no_grad", "inference_mode", "function", "staticmethod",
              "classmethod", "override", "autocast", "custom_fwd", "nowrap", "remat",
              "filter_jit")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Frame:
    """A function that is looked at, and what it is called with; None where that is not known."""

    scope: Scope
    given: dict[str, Value] | None = None
    self_value: Value = None


class Flow:
    """Follows the values of a file."""

    def __init__(self, tree: ast.Module) -> None:
        self.scopes = Scopes(tree)
        self.imports = Imports(self.scopes.nodes)
        self._frames: dict[Scope, Frame] = {}
        self._known: dict[tuple[ast.expr, Frame], Value] = {}
        self._returns: dict[tuple[Function, Value, tuple[tuple[str, Value], ...]], Value] = {}
        self._depth = self._steps = 0

    def frame(self, node: ast.AST) -> Frame:
        """Return the frame of a node of which no call is looked at."""
        scope = self.scopes.scope(node)
        if scope not in self._frames:
            of = self.scopes.class_of(scope) if isinstance(scope, FUNCTIONS) else None
            self._frames[scope] = Frame(scope, None, None if of is None else Instance(of))
        return self._frames[scope]

    def qualified(self, expr: ast.expr) -> str | None:
        """Return the whole name of what an import brings, unless the name is bound again."""
        root = expr
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id not in self.imports.names:
            return None
        scope = self.scopes.scope(root)
        while not isinstance(scope, ast.Module):
            if isinstance(scope, FUNCTIONS) and self._shadowed(scope, root.id):
                return None
            scope = self.scopes.scope(scope)
        return self.imports.qualified(expr)

    def _shadowed(self, scope: Function, name: str) -> bool:
        if name in arguments(scope):
            return True
        by = self.scopes.binders(scope).get(name, [])
        return any(not isinstance(each, (ast.Import, ast.ImportFrom)) for each in by)

    def value(self, expr: ast.expr | None, frame: Frame | None = None) -> Value:
        """Return what an expression is, or None where that is not certain."""
        if expr is None:
            return None
        frame = self.frame(expr) if frame is None else frame
        if self._depth == 0:
            self._steps = 0
        self._steps += 1
        if self._depth >= DEEPEST or self._steps > MOST_STEPS:
            return None
        key = (expr, frame)
        if key not in self._known:
            self._known[key] = None  # of what is defined by itself nothing is certain
            self._depth += 1
            try:
                self._known[key] = self._look(expr, frame)
            finally:
                self._depth -= 1
        return self._known[key]

    def _look(self, expr: ast.expr, frame: Frame) -> Value:
        match expr:
            case ast.Name():
                return self._name(expr, frame)
            case ast.Attribute():
                return self._attribute(expr, frame)
            case ast.Call():
                return self._call(expr, frame)
            case ast.Tuple() | ast.List():
                return Items(tuple(self.value(each, frame) for each in expr.elts))
            case ast.Subscript(value=of, slice=ast.Constant(value=int(i))):
                return _item(self.value(of, frame), i)
            case ast.IfExp():
                return alike([self.value(expr.body, frame), self.value(expr.orelse, frame)])
            case ast.NamedExpr():
                return self.value(expr.value, frame)
            case ast.Lambda():
                return Routine(expr)
            case ast.BinOp(op=ast.Add()):
                return self._sum(expr, frame)
            case ast.BinOp(left=left, op=ast.Div() | ast.Mult()):
                scaled = self.value(left, frame)
                return scaled if isinstance(scaled, Tensor) and scaled.what == "scores" else None
        return None

    def _sum(self, expr: ast.BinOp, frame: Frame) -> Value:
        for of, by in ((expr.left, expr.right), (expr.right, expr.left)):
            value = self.value(of, frame)
            if isinstance(value, Tensor) and value.what in ("softmax", "sigmoid"):
                return replace(value, what="shifted", inner=value) if self.small(by) else None
        return None

    def small(self, expr: ast.expr) -> bool:
        """Return whether an expression is a small number, or is named as one."""
        number = self.number(expr)
        if number is not None:
            return 0 < number < 1e-2
        name = expr.id if isinstance(expr, ast.Name) else getattr(expr, "attr", "")
        if isinstance(expr, ast.Call):
            return self.qualified(expr.func) in ("keras.backend.epsilon", "keras.config.epsilon")
        return name.lower().strip("_") in ("eps", "epsilon", "tiny", "smooth")

    def number(self, expr: ast.expr | None) -> float | None:
        """Return the number that an expression of constants is."""
        match expr:
            case ast.Constant(value=bool()):
                return None
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.UnaryOp(op=ast.USub(), operand=of):
                positive = self.number(of)
                return None if positive is None else -positive
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                a, b = self.number(left), self.number(right)
                if a is None or b is None:
                    return None
                return a + b if isinstance(op, ast.Add) else a - b
            case ast.Name():
                found = self.scopes.definition(expr)
                if isinstance(found, Assigned) and isinstance(found.value, ast.Constant):
                    return self.number(found.value) if found.index is None else None
        return None

    def _name(self, name: ast.Name, frame: Frame) -> Value:
        found = self.scopes.definition(name)
        match found:
            case Assigned():
                # An outer function's frame is not kept: nothing is known of its arguments.
                inside = found.scope is frame.scope
                value = self.value(found.value, frame if inside else self.frame(found.value))
                if found.index is not None:
                    return _item(value, found.index)
                return self._grown(name, found, value)
            case Parameter():
                return self._parameter(found, frame)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return Routine(found)
            case ast.ClassDef():
                return ClassValue(found)
        return None

    def _grown(self, name: ast.Name, found: Assigned, value: Value) -> Value:
        """Return a model with the layers that were added below its assignment."""
        if not isinstance(value, Chain) or not isinstance(found.value, ast.Call):
            return value
        layers = list(value.layers)
        for statement in self.scopes.following(self.scopes.statement(found.value)):
            if name.id in self.scopes.bound(statement):
                break
            match statement:
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=name.id), attr="add"), args=[layer]
                    )
                ):
                    layers.append(self.value(layer))
                case _ if any(
                    isinstance(each, ast.Attribute)
                    and each.attr in ("add", "append", "add_module", "insert", "extend", "pop")
                    and isinstance(each.value, ast.Name)
                    and each.value.id == name.id
                    for each in ast.walk(statement)
                ):
                    layers.append(None)
        return Chain(tuple(layers))

    def _parameter(self, found: Parameter, frame: Frame) -> Value:
        function, name = found.function, found.name
        if function is frame.scope and frame.given is not None:
            return frame.given.get(name)
        of = self.scopes.class_of(function)
        names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
        if of is not None:
            return Instance(of) if names[:1] == [name] else None
        if isinstance(function, ast.Lambda):
            return None
        return self._from_calls(function, names, name)

    def _from_calls(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, names: list[str], name: str
    ) -> Value:
        """Return what every call of a function of the module gives an argument."""
        values: list[Value] = []
        for use in self._uses.get(function.name, []):
            call = self.scopes.parent[use]
            if self.scopes.definition(use) is not function:
                continue
            if not isinstance(call, ast.Call) or call.func is not use:
                return None
            given = argument(call, names.index(name) if name in names else None, name)
            if given is None:
                return None
            values.append(self.value(given))
        return alike(values)

    @cached_property
    def _uses(self) -> dict[str, list[ast.Name]]:
        """Where each name is read."""
        found: dict[str, list[ast.Name]] = {}
        for node in self.scopes.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def _stored(self) -> dict[tuple[ast.AST, str], list[ast.AST]]:
        """What assigns to each attribute inside each class."""
        found: dict[tuple[ast.AST, str], list[ast.AST]] = {}
        for node in self.scopes.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                for outer in self.scopes.above(node):
                    if isinstance(outer, ast.ClassDef):
                        found.setdefault((outer, node.attr), []).append(self.scopes.parent[node])
        return found

    def _attribute(self, expr: ast.Attribute, frame: Frame) -> Value:
        of = self.value(expr.value, frame)
        if isinstance(of, Instance):
            method = self._method(of.of, expr.attr)
            if method is not None:
                return None if _is_property(method) else Routine(method, of)
            return self._of_self(of.of, expr.attr)
        return None

    def _method(self, of: ast.ClassDef, name: str) -> ast.FunctionDef | None:
        """Return a method of a class, or of its bases in this file."""
        for statement in of.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                return statement
        for base in of.bases:
            found = self.value(base)
            if isinstance(found, ClassValue) and found.of is not of:
                return self._method(found.of, name)
        return None

    def _of_self(self, of: ast.ClassDef, name: str) -> Value:
        """Return what `self.name` is, if one assignment says it."""
        assigned = self._stored.get((of, name), [])
        if not assigned:
            bases = [self.value(base) for base in of.bases]
            known = [each for each in bases if isinstance(each, ClassValue) and each.of is not of]
            return self._of_self(known[0].of, name) if len(known) == 1 else None
        if len(assigned) == 1 and isinstance(assigned[0], (ast.Assign, ast.AnnAssign)):
            return self.value(assigned[0].value)
        return None

    def _call(self, call: ast.Call, frame: Frame) -> Value:
        name = self.qualified(call.func)
        if name is not None:
            return self._api(name, call, frame)
        if isinstance(call.func, ast.Attribute):
            of = self.value(call.func.value, frame)
            if not isinstance(of, Tensor | Criterion | None):
                return self._of_model(of, call, frame)
            root = call.func.value
            while isinstance(root, ast.Attribute):
                root = root.value
            imported = isinstance(root, ast.Name) and root.id in self.imports.names
            own = self._attribute(call.func, frame)
            if own is not None:
                return self.applied(own, call, frame)
            return None if imported else self._tensor_method(call.func, of, call, frame)
        return self.applied(self.value(call.func, frame), call, frame)

    def _of_model(self, of: Value, call: ast.Call, frame: Frame) -> Value:
        assert isinstance(call.func, ast.Attribute)
        name = call.func.attr
        if isinstance(of, Instance) and name not in apis.MODEL_SAME:
            method = self._method(of.of, name)
            if method is not None and name not in apis.MODEL_CALLS:
                return self._returned(method, call, frame, of)
            attribute = self._attribute(call.func, frame) if method is None else None
            if attribute is not None:
                return self.applied(attribute, call, frame)
        if name in apis.MODEL_SAME:
            return of
        if name in apis.MODEL_CALLS:
            return self.applied(of, call, frame)
        if name == "apply" and isinstance(of, Instance):  # flax: the parameters come first
            later = ast.Call(call.func, call.args[1:], call.keywords)
            return self.applied(of, ast.copy_location(later, call), frame)
        return None

    def _tensor_method(self, func: ast.Attribute, of: Value, call: ast.Call, frame: Frame) -> Value:
        name = func.attr
        what = apis.METHODS.get(name)
        if what is not None:
            return Tensor(what, call, func.value, of, self._axis(call, 0), _units(of))
        if name == "log" and not call.args:
            return _log(of)
        if name in ("to", "astype", "type") and self._is_half(call):
            return Tensor("half", call, func.value, of)
        return self._passed(name, of, call)

    def _passed(self, name: str, of: Value, call: ast.Call) -> Value:
        """Return what a function or method that leaves the numbers as they are gives."""
        if name in apis.CASTS:
            half = isinstance(of, Tensor) and of.what == "half"
            return None if half else reshaped(of, cast=True)
        if name in apis.SAME:
            return of
        if name in apis.RESHAPED:
            out = reshaped(of, units=False)
            flat = any(self.number(each) == -1 for each in call.args) and name in (
                "view",
                "reshape",
            )
            return replace(out, tokens=True) if isinstance(out, Tensor) and flat else out
        return None

    def _is_half(self, call: ast.Call) -> bool:
        half = {f"{of}.{name}" for of in ("torch", "numpy", "jax.numpy", "tensorflow")
                for name in ("float16", "half", "bfloat16")}  # fmt: skip
        given = [*call.args, *(each.value for each in call.keywords if each.arg == "dtype")]
        return any(self.qualified(each) in half for each in given)

    def _axis(self, call: ast.Call, position: int) -> int | None:
        for name in ("dim", "axis"):
            number = self.number(argument(call, position, name))
            if number is not None:
                return int(number)
        return None

    def _api(self, name: str, call: ast.Call, frame: Frame) -> Value:
        """Return what the call of something imported gives."""
        named = (argument(call, 0, each) for each in apis.FIRST)
        first = next((each for each in named if each is not None), None)
        if what := apis.FUNCTIONS.get(name):
            of = self.value(first, frame)
            axis = self._axis(call, 1)
            if name.startswith(("jax", "flax", "keras", "tensorflow")) and axis is None:
                axis = -1
            return Tensor(what, call, first, of, axis, _units(of))
        if name in apis.LOGARITHMS:
            return _log(self.value(first, frame))
        if name in apis.LOSS_FUNCTIONS:
            return Tensor("loss", call)
        if api := apis.LOSS_CLASSES.get(name):
            return Criterion(api, call, {k.arg: k.value for k in call.keywords if k.arg})
        if name in apis.WRAPPERS:
            return self.value(first, frame)
        if name in apis.SEQUENTIAL:
            return self._sequential(call, frame)
        if name in apis.GRAPHS:
            return Graph(self.value(argument(call, 1, "outputs"), frame))
        namespace, _, own = name.rpartition(".")
        if namespace in apis.NAMESPACES and first is not None:
            return self._passed(own, self.value(first, frame), call)
        return self._layer(name, call)

    def _sequential(self, call: ast.Call, frame: Frame) -> Value:
        given: Sequence[ast.expr] = call.args
        if len(given) == 1 and isinstance(given[0], (ast.List, ast.Tuple)):
            given = given[0].elts
        elif len(given) == 1 and isinstance(items := self.value(given[0], frame), Items):
            return Chain(items.values)
        if call.keywords and not given:
            return Chain((None,))
        return Chain(tuple(self.value(each, frame) for each in given))

    def _layer(self, name: str, call: ast.Call) -> Value:
        if name in apis.LINEAR:
            position, keyword = apis.LINEAR[name]
            units = self.number(argument(call, position, keyword))
            out: apis.What | None = "scores"
            if name.startswith("keras"):
                at = 1 if keyword == "units" else None
                given = argument(call, at, "activation")
                out = self._activation(given)
            return Layer(out, call, axis=-1, units=None if units is None else int(units))
        if name == "keras.layers.Activation":
            return Layer(self._activation(argument(call, 0, "activation")), call, axis=-1)
        kind = apis.LAYERS.get(name)
        if kind is None:
            return None
        if kind == "same":
            return Layer(None, call, same=True)
        return Layer(kind, call, axis=-1 if name.startswith("keras") else self._axis(call, 0))

    def _activation(self, given: ast.expr | None) -> apis.What | None:
        """Return what an activation of Keras makes; a layer without one gives scores."""
        if given is None or (isinstance(given, ast.Constant) and given.value is None):
            return "scores"
        if isinstance(given, ast.Constant):
            return apis.ACTIVATIONS.get(str(given.value))
        name = self.qualified(given)
        return apis.FUNCTIONS.get(name) if name else None

    def applied(self, of: Value, call: ast.Call, frame: Frame) -> Value:
        """Return what a model, a layer or a function gives for the arguments of a call."""
        first = self.value(call.args[0], frame) if call.args else None
        match of:
            case Layer() | Chain() | Graph():
                return through(of, first, call.args[0] if call.args else None)
            case Instance():
                for name in apis.FORWARD:
                    if (method := self._method(of.of, name)) is not None:
                        return self._returned(method, call, frame, of)
            case Routine():
                return self._returned(of.function, call, frame, of.of)
            case ClassValue():
                return Instance(of.of)
            case Criterion():
                return Tensor("loss", call)
        return None

    def _returned(self, function: Function, call: ast.Call, frame: Frame, of: Value) -> Value:
        """Return what a function gives, if all of its returns agree."""
        if isinstance(function, ast.Lambda):
            returns: list[ast.expr | None] = [function.body]
        else:
            if not all(map(_is_plain, function.decorator_list)):
                return None
            returns = _returns(function)
        names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
        given: dict[str, Value] = {}
        if of is not None and names and not _is_static(function):
            given[names.pop(0)] = of
        for i, name in enumerate(names):
            given[name] = self.value(argument(call, i, name), frame)
        key = (function, of, tuple(given.items()))
        if key not in self._returns:
            self._returns[key] = None  # of what calls itself nothing is certain
            inside = Frame(function, given, of)
            self._returns[key] = alike([self.value(each, inside) for each in returns])
        return self._returns[key]


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


def argument(call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    """Return the argument at a position, or of a name."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is None or position >= len(call.args):
        return None
    if any(isinstance(each, ast.Starred) for each in call.args[: position + 1]):
        return None
    return call.args[position]


def _item(of: Value, i: int) -> Value:
    values = of.values if isinstance(of, Items) else ()
    return values[i] if -len(values) <= i < len(values) else None


def _units(value: Value) -> int | None:
    return value.units if isinstance(value, Tensor) else None


def _log(of: Value) -> Value:
    if isinstance(of, Tensor) and of.what in ("softmax", "sigmoid"):
        return replace(of, what="log_softmax" if of.what == "softmax" else "log_sigmoid")
    return None


def _returns(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr | None]:
    """Return what the returns of a function give; nothing is certain of a generator."""
    found: list[ast.expr | None] = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return []
        if isinstance(node, ast.Return):
            found.append(node.value)
        todo += ast.iter_child_nodes(node)
    return found


def _is_plain(decorator: ast.expr) -> bool:
    of = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
    if name == "partial" and isinstance(decorator, ast.Call):
        return all(map(_is_plain, decorator.args))
    return name in DECORATORS


def _is_property(function: ast.FunctionDef) -> bool:
    return any("property" in ast.dump(each) for each in function.decorator_list)


def _is_static(function: Function) -> bool:
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in decorators)
