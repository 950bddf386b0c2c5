"""The mutants that are tried: Cosmic Ray lists and makes them, a seed chooses among them."""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """One change of one file."""

    file: str  # from the root of the repository
    operator: str  # as Cosmic Ray calls it
    occurrence: int
    line: int
    before: str  # the changed line, stripped
    after: str

    def key(self) -> tuple[str, str, str]:
        """Name the mutant without its line number, which moves."""
        return self.file, self.before, self.after


def listed(root: Path, source: str, left_out: Sequence[str]) -> dict[tuple[Any, ...], list[Any]]:
    """Return every change of a folder that Cosmic Ray knows, by the place that it changes.

    A change of an annotation is left out: annotations are not evaluated.
    """
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    names = [n for n in operator_names() if not any(fnmatchcase(n, out) for out in left_out)]
    operators = {n: get_operator(n)() for n in names if not get_operator(n).arguments()}
    places = defaultdict(list)
    for file in sorted((root / source).rglob("*.py")):
        code = file.read_text()
        hidden, nodes = list(annotations(code)), list(ast_nodes(get_ast(code)))
        for name, operator in operators.items():
            starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
            for occurrence, start in enumerate(map(tuple, starts)):
                if not any(begin <= start < end for begin, end in hidden):
                    places[str(file), start].append((name, occurrence))
    return {place: sorted(places[place]) for place in sorted(places)}


def annotations(code: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where the annotations of a file begin and end: line from 1, column from 0."""
    for node in ast.walk(ast.parse(code)):
        for name in ("annotation", "returns"):
            child = getattr(node, name, None)
            if child is not None:
                yield (
                    (child.lineno, child.col_offset),
                    (child.end_lineno, child.end_col_offset),
                )


def drawn(root: Path, source: str, left_out: Sequence[str], seed: int) -> Iterator[Mutant]:
    """Yield mutants in an order that the seed decides, one for each place, without end of sample.

    Places are drawn and not changes: an operator has eleven changes, and a number two.
    """
    places = listed(root, source, left_out)
    rng = random.Random(f"{seed} {source}")
    order = list(places)
    rng.shuffle(order)
    for path, (line, column) in order:
        operator, occurrence = rng.choice(places[path, (line, column)])
        code = Path(path).read_text()
        changed = mutated(code, operator, occurrence)
        before, after = differing(code, changed)
        file = str(Path(path).relative_to(root))
        yield Mutant(file, operator, occurrence, line, before, after)


def mutated(code: str, operator: str, occurrence: int) -> str:
    """Return a file's text with one change."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    changed = mutate_code(code, get_operator(operator)(), occurrence)
    assert changed is not None, (operator, occurrence)
    return changed


def differing(code: str, changed: str) -> tuple[str, str]:
    """Return the lines that differ, before and after, each as one stripped text."""
    old, new = code.splitlines(), changed.splitlines()
    first = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    last = next(i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    return tuple(
        " / ".join(line.strip() for line in lines[first : len(lines) - last]) or "(nothing)"
        for lines in (old, new)
    )
