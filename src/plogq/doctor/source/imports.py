"""What the names of a file stand for, as far as its imports say it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

# One thing under several names: how names begin, and how they begin here.
SAME = (
    ("tensorflow.compat.v1.keras.", "keras."),
    ("tensorflow.compat.v2.keras.", "keras."),
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.python.keras.", "keras."),
    ("tensorflow.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("keras.src.", "keras."),
    ("keras.api.", "keras."),
    ("optax.losses.", "optax."),
    ("torch.nn.modules.loss.", "torch.nn."),
    ("sklearn.metrics._classification.", "sklearn.metrics."),
)


class Imports:
    """The imports of a file, wherever in it they stand."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        found: dict[str, set[str]] = {}
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name, stands_for in _bound(node):
                    found.setdefault(name, set()).add(canonical(f"{stands_for}."))
        self.names = found.keys()
        # A name that is imported from two places may be either.
        self._of = {name: of.pop()[:-1] for name, of in found.items() if len(of) == 1}

    def qualified(self, expr: ast.expr) -> str | None:
        """Return the whole name of a name or an attribute, if an import says it."""
        if isinstance(expr, ast.Name):
            return self._of.get(expr.id)
        if isinstance(expr, ast.Attribute):
            of = self.qualified(expr.value)
            return None if of is None else canonical(f"{of}.{expr.attr}")
        return None


def canonical(name: str) -> str:
    """Return one name for things that can be imported from several places.

    Examples
    --------
    >>> canonical("tensorflow.keras.losses.MeanSquaredError")
    'keras.losses.MeanSquaredError'
    """
    for begins, instead in SAME:
        if name.startswith(begins):
            return instead + name[len(begins) :]
    return name


def _bound(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for each in node.names:
        if isinstance(node, ast.ImportFrom):
            of = "." * node.level + (node.module or "")
            yield each.asname or each.name, f"{of}.{each.name}"
        elif each.asname is not None:
            yield each.asname, each.name
        else:
            first = each.name.partition(".")[0]
            yield first, first
