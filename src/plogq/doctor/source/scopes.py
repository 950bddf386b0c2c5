"""Which definition a name has where it is read, if it is certain that it is one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope: TypeAlias = Function | ast.ClassDef | ast.Module
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)


@dataclass(frozen=True)
class Assigned:
    """A name that is assigned once where it matters.

    Attributes
    ----------
    value
        What is assigned.
    index
        Which item of it, where it is unpacked.
    scope
        Where the assignment stands.
    """

    value: ast.expr
    index: int | None
    scope: Scope


@dataclass(frozen=True)
class Parameter:
    """A name that is an argument of a function."""

    function: Function
    name: str


Definition: TypeAlias = (
    Assigned | Parameter | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None
)


class Scopes:
    """The scopes of a file, and what is bound in them."""

    def __init__(self, tree: ast.Module) -> None:
        self.parent: dict[ast.AST, ast.AST] = {}
        self._block: dict[ast.AST, tuple[list[ast.stmt], int]] = {}
        self.nodes = list(ast.walk(tree))
        for node in self.nodes:
            for _, field in ast.iter_fields(node):
                children = field if isinstance(field, list) else [field]
                for i, child in enumerate(children):
                    if isinstance(child, ast.AST):
                        self.parent[child] = node
                        if isinstance(child, ast.stmt) and isinstance(field, list):
                            self._block[child] = field, i
        self._bound: dict[ast.AST, frozenset[str]] = {}
        self._binders: dict[Scope, dict[str, list[ast.AST]]] = {}
        self._elsewhere = {  # names that functions bind outside of themselves
            name
            for node in self.nodes
            if isinstance(node, (ast.Global, ast.Nonlocal))
            for name in node.names
        }

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, from the inside."""
        while node in self.parent:
            node = self.parent[node]
            yield node

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope that a node stands in."""
        return next(each for each in self.above(node) if isinstance(each, SCOPES))

    def statement(self, node: ast.AST) -> ast.AST:
        """Return the statement that a node stands in, or that it is."""
        return next(each for each in (node, *self.above(node)) if each in self._block)

    def following(self, statement: ast.AST) -> list[ast.stmt]:
        """Return the statements after one in its block."""
        block, i = self._block[statement]
        return block[i + 1 :]

    def class_of(self, function: Function) -> ast.ClassDef | None:
        """Return the class of a method."""
        parent = self.parent.get(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    def definition(self, use: ast.Name) -> Definition:
        """Return what a name has been defined as where it is read; None if it may be several."""
        name, child = use.id, cast(ast.AST, use)
        if name in self._elsewhere:
            return None
        for outer in self.above(use):
            if isinstance(outer, ast.Lambda) and name in arguments(outer):
                return Parameter(outer, name)
            if child in self._block:
                block, i = self._block[child]
                for statement in reversed(block[:i]):
                    if name in self.bound(statement):
                        return self._by(statement, name)
                if isinstance(outer, SCOPES):
                    return self._at_top(outer, name)
            if self._may_rebind(outer, child, name):
                return None
            child = outer
        return None

    def _may_rebind(self, outer: ast.AST, child: ast.AST, name: str) -> bool:
        """Return whether a part of a statement binds a name before another part of it."""
        match outer:
            case ast.If():
                return name in self.bound(outer.test)
            case ast.With() | ast.AsyncWith():
                return any(name in self.bound(each) for each in outer.items)
            case ast.Try():
                return child not in outer.body and name in self.bound(outer)
            case ast.ExceptHandler():
                return name == outer.name
            case ast.match_case():
                return name in self.bound(outer.pattern)
            case ast.For() | ast.AsyncFor() | ast.While() | ast.ListComp() | ast.SetComp():
                return name in self.bound(outer)
            case ast.DictComp() | ast.GeneratorExp():
                return name in self.bound(outer)
        return False

    def _at_top(self, scope: Scope, name: str) -> Definition:
        """Return what a name is where a scope begins."""
        if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if name in arguments(scope):
                return Parameter(scope, name)
            if name in self.binders(scope):
                return None
        for outer in self.above(scope):
            if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if name in arguments(outer):
                    return None if name in self.binders(outer) else Parameter(outer, name)
            elif not isinstance(outer, ast.Module):
                continue
            if binders := self.binders(outer).get(name):
                return self._by(binders[0], name) if len(binders) == 1 else None
        return None

    def _by(self, statement: ast.AST, name: str) -> Definition:
        """Return what a statement defines a name as, if it always does, and alone."""
        scope = self.scope(statement)
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return statement
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            return Assigned(statement.value, None, scope)
        if not isinstance(statement, ast.Assign):
            return None
        for target in statement.targets:
            if isinstance(target, ast.Name) and target.id == name:
                return Assigned(statement.value, None, scope)
            if isinstance(target, (ast.Tuple, ast.List)):
                for i, item in enumerate(target.elts):
                    if isinstance(item, ast.Starred):
                        break
                    if isinstance(item, ast.Name) and item.id == name:
                        return Assigned(statement.value, i, scope)
        return None

    def bound(self, node: ast.AST) -> frozenset[str]:
        """Return the names that a node binds, but for those bound in scopes inside it."""
        if node not in self._bound:
            self._bound[node] = frozenset(name for name, _ in _binds(node))
        return self._bound[node]

    def binders(self, scope: Scope) -> dict[str, list[ast.AST]]:
        """Return the statements that bind each name of a scope."""
        if scope not in self._binders:
            found: dict[str, list[ast.AST]] = {}
            body = [scope.body] if isinstance(scope, ast.Lambda) else scope.body
            for statement in body:
                for name, by in _binds(statement):
                    found.setdefault(name, []).append(self.statement(by))
            self._binders[scope] = found
        return self._binders[scope]


def _binds(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield each name that a node binds in its own scope, and the node that does."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
            return
        case ast.Lambda():
            return
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name, node
        case ast.Import() | ast.ImportFrom():
            for each in node.names:
                yield (each.asname or each.name.partition(".")[0]), node
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name, node
        case ast.MatchStar(name=str(name)):
            yield name, node
    for child in ast.iter_child_nodes(node):
        yield from _binds(child)


def arguments(function: Function) -> list[str]:
    """Return the names of the arguments of a function."""
    of = function.args
    one_each = [*of.posonlyargs, *of.args, *of.kwonlyargs]
    return [each.arg for each in [*one_each, of.vararg, of.kwarg] if each is not None]


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
