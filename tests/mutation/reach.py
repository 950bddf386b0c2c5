"""Which tests reach which lines, and how long each takes: coverage with a context per test."""

import ast
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

QUIET = ["-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header"]
QUIET += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what the first process imported


def record(source: str, items: Sequence[pytest.Item], kept: Path) -> None:
    """Run collected tests unchanged; keep, for each line of the source, those that reach it.

    What was kept of other tests stays.
    """
    import coverage

    from tests.mutation.trial import failed

    data = kept.with_suffix(".coverage")
    data.unlink(missing_ok=True)
    measured = coverage.Coverage(data_file=str(data), include=[f"{source}/*"], config_file=False)
    seconds, bad = {}, []
    measured.start()
    for item in items:
        measured.switch_context(item.nodeid)
        begin = time.process_time()
        if failed(item):
            bad.append(item.nodeid)
        seconds[item.nodeid] = time.process_time() - begin
        print(item.nodeid, f"{seconds[item.nodeid]:.2f}")
    measured.stop()
    measured.save()
    old = json.loads(kept.read_text()) if kept.exists() else {}
    lines: dict[str, dict[str, list[str]]] = old.get("lines", {})
    found = measured.get_data()
    for file in found.measured_files():
        of_file = lines.setdefault(os.path.relpath(file), {})
        for line, tests in found.contexts_by_lineno(file).items():
            of_file[str(line)] = sorted({*of_file.get(str(line), []), *tests} - {""})
    seconds = old.get("seconds", {}) | seconds
    written = {"seconds": seconds, "failed": [*old.get("failed", []), *bad], "lines": lines}
    kept.write_text(json.dumps(written))


class Reach:
    """What was recorded, to be asked."""

    def __init__(self, kept: Path) -> None:
        read = json.loads(kept.read_text())
        self.seconds: dict[str, float] = read["seconds"]
        self.failed = set(read["failed"])
        self.lines = read["lines"]

    def tests(self, file: str, code: str, line: int, seconds: float) -> tuple[list[str], bool]:
        """Return the tests that reach a line, quickest first, as many as fit in the seconds.

        A line that only an import runs is reached by every test that runs a line of its file; the
        second value says whether a test itself reaches the line.
        """
        by_line = defaultdict(list, {int(n): t for n, t in self.lines.get(file, {}).items()})
        own = {test for n in statement(code, line) for test in by_line[n]}
        found = own or {test for tests in by_line.values() for test in tests}
        chosen, taken = [], 0.0
        for test in sorted(found - self.failed, key=lambda t: (self.seconds.get(t, 0.0), t)):
            taken += self.seconds.get(test, 0.0)
            if chosen and taken > seconds:
                break
            chosen.append(test)
        return chosen, bool(own)


def statement(code: str, line: int) -> range:
    """Return the lines of the innermost statement on a line.

    Of a compound statement that is its head; a function's head stands for the whole function, for
    its defaults matter to whoever calls it.
    """
    best = range(line, line + 1)
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.stmt | ast.ExceptHandler):
            continue
        body = getattr(node, "body", None)
        head = body[0].lineno if body else (node.end_lineno or node.lineno) + 1
        if node.lineno <= line < max(head, node.lineno + 1):
            whole = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            end = (node.end_lineno or line) + 1 if whole else max(head, node.lineno + 1)
            best = range(node.lineno, end)  # what comes later in the walk is further inside
    return best
