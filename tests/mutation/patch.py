"""A mutant put into functions that are already there: only their code objects are exchanged.

Importing and collecting all tests takes seconds, and running a few of them does not. Where a mutant
changes nothing but the inside of functions, every function object of the module is given the code
that the changed text compiles to, wherever the function is held; likewise the literal defaults of
its arguments, and the module's constants.
"""

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType


def bodies(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """Yield every function's code in a module, also of methods, by its name and first line."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from bodies(constant)


def outside(code: CodeType) -> object:
    """Return what runs when the module is imported: its code and that of its classes' bodies."""
    inner = [
        outside(c) if is_class(c) else (c.co_qualname, c.co_firstlineno)
        for c in code.co_consts
        if isinstance(c, CodeType)
    ]
    plain = [repr(c) for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, code.co_names, plain, inner


def is_class(code: CodeType) -> bool:
    """Tell whether this is the body of a class: it begins by setting __module__."""
    return code.co_names[:2] == ("__name__", "__module__")


class Module:
    """A module's text, and the functions that were made of it, found once."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text, self.code = path, text, compile(text, path, "exec")
        self.functions = defaultdict(list)
        for thing in gc.get_objects():
            if type(thing) is FunctionType and thing.__code__.co_filename == path:
                key = thing.__code__.co_qualname, thing.__code__.co_firstlineno
                self.functions[key].append(thing)

    def exchange(self, changed: str) -> bool:
        """Give every function its code in the changed text; False if that is not the change."""
        new = compile(changed, self.path, "exec")
        if outside(new) != outside(self.code):
            return self.exchange_defaults(changed) or self.exchange_constants(changed)
        before, after = dict(bodies(self.code)), dict(bodies(new))
        altered = {key for key in before if key in after and before[key] != after[key]}
        if not any(self.functions[key] for key in altered):
            return False
        for key in altered:
            for function in self.functions[key]:
                if len(function.__code__.co_freevars) != len(after[key].co_freevars):
                    return False
                function.__code__ = after[key]
        return True

    def exchange_defaults(self, changed: str) -> bool:
        """Give a function the defaults that it has in the changed text, where they are literals."""
        pairs = zip(heads(self.text), heads(changed), strict=False)
        differing = [(old, new) for old, new in pairs if ast.dump(old.args) != ast.dump(new.args)]
        if len(differing) != 1 or without_heads(self.text) != without_heads(changed):
            return False
        ((old, new),) = differing
        found = [
            function
            for (name, line), functions in self.functions.items()
            for function in functions
            if name.rpartition(".")[2] == old.name
            and line == min([old.lineno, *(d.lineno for d in old.decorator_list)])
        ]
        try:
            plain = tuple(constant(value) for value in new.args.defaults)
            named = {
                argument.arg: constant(value)
                for argument, value in zip(new.args.kwonlyargs, new.args.kw_defaults, strict=True)
                if value is not None
            }
        except NameError:
            return False
        for function in found:
            if len(function.__defaults__ or ()) != len(plain):
                return False
            if {*(function.__kwdefaults__ or {})} != {*named}:
                return False
            function.__defaults__, function.__kwdefaults__ = plain or None, named or None
        return bool(found)

    def exchange_constants(self, changed: str) -> bool:
        """Give the module's constants their values in the changed text, here and where imported.

        What an import made of a constant, such as a default, keeps the old one.
        """
        old, new = ast.parse(self.text).body, ast.parse(changed).body
        if len(old) != len(new):
            return False
        pairs = zip(old, new, strict=True)
        altered = [(a, b) for a, b in pairs if ast.dump(a) != ast.dump(b)]
        if not all(isinstance(a, ast.Assign) and type(a) is type(b) for a, b in altered):
            return False
        own = next((m for m in [*sys.modules.values()] if is_file(m, self.path)), None)
        if own is None:
            return False
        for _, assignment in altered:
            assert isinstance(assignment, ast.Assign)
            for target in assignment.targets:
                if not isinstance(target, ast.Name):
                    return False
                name, before = target.id, own.__dict__[target.id]
                code = compile(ast.Module([assignment], []), self.path, "exec")
                exec(code, own.__dict__)
                for module in [*sys.modules.values()]:
                    held = getattr(module, "__dict__", {})
                    if held.get(name) is before:
                        held[name] = own.__dict__[name]
        return bool(altered)


def is_file(module: object, path: str) -> bool:
    """Tell whether a module was read from a file."""
    return getattr(module, "__dict__", {}).get("__file__") == path


def constant(value: ast.expr) -> object:
    """Return the value of an expression without names, such as -1 or not 1."""
    return eval(compile(ast.Expression(value), "default", "eval"), {"__builtins__": {}})


Head = ast.FunctionDef | ast.AsyncFunctionDef


def heads(text: str) -> list[Head]:
    """Return the functions of a text, outer before inner."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, Head)]


def without_heads(text: str) -> str:
    """Return the tree of a text without what functions take."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, Head):
            node.args = ast.arguments([], [], None, [], [], None, [])
    return ast.dump(tree)
