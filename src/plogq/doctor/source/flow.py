"""What expressions are: followed through assignments, functions and modules of one file."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cached_property

from plogq.doctor.source.calls import called
from plogq.doctor.source.imports import Imports
from plogq.doctor.source.scopes import (
    Assigned,
    Function,
    Parameter,
    Scope,
    Scopes,
    argument,
    arguments,
)
from plogq.doctor.source.values import (
    Chain,
    ClassValue,
    Fields,
    Imported,
    Instance,
    Items,
    Routine,
    Tensor,
    Value,
    alike,
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
        if (name := self.qualified(expr)) is not None:
            return Imported(name)
        match expr:
            case ast.Name():
                return self._name(expr, frame)
            case ast.Attribute():
                return self.attribute(expr, frame)
            case ast.Call():
                return called(self, expr, frame)
            case ast.Tuple() | ast.List():
                return Items(tuple(self.value(each, frame) for each in expr.elts))
            case ast.Dict():
                keys = [key.value if isinstance(key, ast.Constant) else None for key in expr.keys]
                values = [self.value(each, frame) for each in expr.values]
                pairs = [(k, v) for k, v in zip(keys, values, strict=True) if isinstance(k, str)]
                return Fields(tuple(pairs)) if len(pairs) == len(keys) else None
            case ast.Subscript(value=of, slice=ast.Constant(value=str(key))):
                fields = self.value(of, frame)
                return dict(fields.values).get(key) if isinstance(fields, Fields) else None
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
                if isinstance(value, Fields | Items) and name.id in self._changed_inside:
                    return None
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
    def _changed_inside(self) -> set[str]:
        """The names of lists and dictionaries that are changed somewhere."""
        found = set()
        for node in self.scopes.nodes:
            match node:
                case (
                    ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del())
                    | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=_))
                ):
                    found.add(name)
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

    def attribute(self, expr: ast.Attribute, frame: Frame) -> Value:
        """Return what an attribute of an object of a class of this file is."""
        of = self.value(expr.value, frame)
        if isinstance(of, Instance):
            method = self.method(of.of, expr.attr)
            if method is not None:
                return None if _is_property(method) else Routine(method, of)
            return self._of_self(of.of, expr.attr)
        return None

    def method(self, of: ast.ClassDef, name: str) -> ast.FunctionDef | None:
        """Return a method of a class, or of its bases in this file."""
        for statement in of.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                return statement
        for base in of.bases:
            found = self.value(base)
            if isinstance(found, ClassValue) and found.of is not of:
                return self.method(found.of, name)
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

    def returned(self, function: Function, call: ast.Call, frame: Frame, of: Value) -> Value:
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


def _item(of: Value, i: int) -> Value:
    values = of.values if isinstance(of, Items) else ()
    return values[i] if -len(values) <= i < len(values) else None


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
