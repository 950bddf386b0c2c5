"""A file of code as the checks of code see it."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from plogq.doctor.finding import Confidence, Cost, Edit, Finding, Place
from plogq.doctor.source.apis import LOGARITHMS, LOSS_CLASSES, LOSS_FUNCTIONS, LossApi
from plogq.doctor.source.flow import Flow
from plogq.doctor.source.losses import LossUse, losses
from plogq.doctor.source.text import SourceText, lines_of
from plogq.doctor.source.values import Tensor, Value

# Statements that hold others.
COMPOUND = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While,
            ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)  # fmt: skip
NO_GRADIENT = ("torch.no_grad", "torch.inference_mode")
LONGEST = 120  # characters of a line that are shown


class Code:
    """A file, its calls and losses, and what its expressions are.

    Attributes
    ----------
    source
        Its text, and where its lines stand.
    tree
        Its syntax.
    flow
        What its names stand for.
    """

    def __init__(self, source: SourceText, tree: ast.Module) -> None:
        self.source, self.tree = source, tree
        self.flow = Flow(tree)
        self._lines = lines_of(source.text)

    @property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax tree."""
        return self.flow.scopes.nodes

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call, in the order of the text."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    @cached_property
    def losses(self) -> list[LossUse]:
        """Every loss that is computed, and every model that is compiled with one."""
        return [use for call in self.calls for use in losses(call, self.flow)]

    def value(self, expr: ast.expr | None) -> Value:
        """Return what an expression is, or None where that is not certain."""
        return self.flow.value(expr)

    def logarithm_of(self, call: ast.Call) -> ast.expr | None:
        """Return what a call takes the natural logarithm of; None if it does not."""
        name = self.flow.qualified(call.func)
        if name is not None:
            return call.args[0] if name in LOGARITHMS and call.args else None
        if isinstance(call.func, ast.Attribute) and call.func.attr == "log":
            return None if call.args or call.keywords else call.func.value
        return None

    def loss_api(self, call: ast.Call) -> LossApi | None:
        """Return the loss that a call computes or makes."""
        name = self.flow.qualified(call.func) or ""
        return LOSS_FUNCTIONS.get(name) or LOSS_CLASSES.get(name)

    def without_gradient(self, node: ast.AST) -> bool:
        """Return whether a node stands where PyTorch computes no gradients."""
        for outer in self.flow.scopes.above(node):
            asked: list[ast.expr] = []
            if isinstance(outer, (ast.With, ast.AsyncWith)):
                asked = [item.context_expr for item in outer.items]
            elif isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
                asked = outer.decorator_list
            called = (each.func if isinstance(each, ast.Call) else each for each in asked)
            if any(self.flow.qualified(each) in NO_GRADIENT for each in called):
                return True
        return False

    def divided_loss(self, node: ast.AST) -> LossUse | None:
        """Return the loss that a division divides, if it is one."""
        match node:
            case ast.BinOp(left=left, op=ast.Div()):
                value = self.value(left)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=ast.Div()):
                # The target is read, too; the syntax tree has no node for that.
                read = ast.copy_location(ast.Name(name, ast.Load()), target)
                self.flow.scopes.parent[read] = node
                value = self.value(read)
            case _:
                return None
        if not isinstance(value, Tensor) or value.what != "loss":
            return None
        return next((use for use in self.losses if use.call is value.made), None)

    def text(self, node: ast.AST) -> str:
        """Return the text of a node."""
        return ast.get_source_segment(self.source.text, node) or ""

    def place(self, node: ast.expr) -> Place:
        """Return where a node stands."""
        cell, line = self.source.at(node.lineno)
        column = self._column(node.lineno, node.col_offset) + 1
        return Place(str(self.source.path), line=line, column=column, cell=cell)

    def finding(
        self,
        node: ast.expr,
        *,
        confidence: Confidence,
        because: str,
        fix: str,
        also: tuple[ast.expr | None, ...] = (),
        cost: Cost | None = None,
        edits: tuple[Edit, ...] = (),
    ) -> Finding:
        """Return a finding at a node.

        Parameters
        ----------
        node
            What is wrong.
        confidence, because, fix, cost, edits
            As of `Finding`.
        also
            Other nodes whose lines are evidence.
        """
        lines = dict.fromkeys(each.lineno for each in (node, *also) if each is not None)
        evidence = [self._shown(line, several=len(lines) > 1) for line in lines]
        return Finding(self.place(node), tuple(evidence), confidence, because, fix, cost, edits)

    def replacement(self, node: ast.expr | ast.keyword, text: str) -> tuple[Edit, ...]:
        """Return the change of a node into a text."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        _, first = self.source.at(node.lineno)
        _, last = self.source.at(node.end_lineno)
        start = (first, self._column(node.lineno, node.col_offset))
        return (Edit(start, (last, self._column(node.end_lineno, node.end_col_offset)), text),)

    def unwrapped(self, use: LossUse) -> tuple[Edit, ...]:
        """Return the change that leaves out what is written around the outputs of a loss."""
        tensor = use.tensor
        if tensor is None or tensor.given is None or not use.written_inside:
            return ()
        return self.replacement(tensor.made, self.text(tensor.given))

    def comment_lines(self, where: Place) -> list[str]:
        """Return the lines on which a comment may be about a finding.

        They are its own line, and the last one of its statement.
        """
        line = self.source.line(where)
        return [self._lines[each - 1] for each in sorted({line, *self._ends.get(line, ())})]

    @cached_property
    def _ends(self) -> dict[int, set[int]]:
        """By line, the last lines of the simple statements that stand on it."""
        ends: dict[int, set[int]] = {}
        for node in self.nodes:
            if not isinstance(node, ast.stmt) or isinstance(node, COMPOUND):
                continue
            last = node.end_lineno or node.lineno
            for line in range(node.lineno, last + 1):
                ends.setdefault(line, set()).add(last)
        return ends

    def _shown(self, line: int, several: bool) -> str:
        text = re.sub(r"\s+", " ", self._lines[line - 1].strip())
        short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        cell, number = self.source.at(line)
        at = f"line {number}" if cell is None else f"cell {cell}, line {number}"
        return f"{at}: {short}" if several else short

    def _column(self, line: int, bytes_before: int) -> int:
        """Return a column in characters; the syntax tree counts bytes."""
        return len(self._lines[line - 1].encode()[:bytes_before].decode())
