"""One mutant tried, in a fork of a process in which pytest has collected every test.

Where the mutant is inside functions, their code is exchanged; where importing runs it, the changed
file is written into the copy, and a new process collects and runs the tests.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mutation import tree
from tests.mutation.patch import Module
from tests.mutation.reach import QUIET

NO_MODULE = 66  # the status of a process that could not import the changed file


class Outcome(NamedTuple):
    """How it ended: killed, survived, hangs, unreached, or no module any more."""

    word: str
    by: str = ""  # the test that failed
    tests: int = 0
    seconds: float = 0.0


def in_fork(
    run: Callable[[], object], limit: float, output: Path = Path(os.devnull)
) -> tuple[int | None, str]:
    """Run in a fork that writes no bytecode; return its status (None: it hung) and a note of it.

    What the fork returns is its status, or a pair of the status and a note. The limit is in seconds
    of processor time, which a busy machine does not lengthen; ten times as many may pass by the
    clock.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status: object = 70
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit)))
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(written, 1)
            os.dup2(written, 2)
            status = run()
            if isinstance(status, tuple):
                status, note = status
                os.write(write, str(note).encode()[:4000])
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
            os._exit(int(status))  # type: ignore[call-overload]
    os.close(write)
    end = time.monotonic() + 10 * limit
    ended, reaped = None, False
    while time.monotonic() < end:
        pid, raw = os.waitpid(child, os.WNOHANG)
        if pid:
            status_of = os.waitstatus_to_exitcode(raw)
            ended = None if status_of in (-signal.SIGXCPU, -signal.SIGKILL) else status_of
            reaped = True
            break
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the test started, too
    if not reaped:
        os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return ended, pipe.read() if ended is not None else ""


def word(status: int | None) -> str:
    """Say how the tests ended."""
    return {None: "hangs", 0: "survived", NO_MODULE: "no module"}.get(status, "killed")


class Tried:
    """The tests of one part, collected, and its modules; each trial is a fork of this."""

    def __init__(self, copy: Path, session: pytest.Session, limit: float) -> None:
        self.copy, self.limit = copy, limit
        self.items = {item.nodeid: item for item in session.items}
        self.modules: dict[str, Module] = {}

    def module(self, file: str) -> Module:
        """Return the module of a file, with its functions found."""
        if file not in self.modules:
            path = self.copy / file
            self.modules[file] = Module(str(path), path.read_text())
        return self.modules[file]

    def inside(self, file: str, changed: str, tests: Sequence[str]) -> Outcome | None:
        """Run the tests with functions exchanged; None if importing runs what was changed."""
        module = self.module(file)
        begin = time.monotonic()

        def run() -> tuple[int, str]:
            if not module.exchange(changed):
                return NO_MODULE, ""
            for name in tests:
                if failed(self.items[name]):
                    return 1, name
            return 0, ""

        status, by = in_fork(run, self.limit)
        if status == NO_MODULE:
            return None
        return Outcome(word(status), by, len(tests), time.monotonic() - begin)

    def by_import(self, file: str, changed: str, tests: Sequence[str]) -> Outcome:
        """Write the changed file into the copy, run the tests in a new process, put it back."""
        path = self.copy / file
        original, times = path.read_text(), path.stat()
        begin = time.monotonic()
        try:
            path.write_text(changed)
            status, by = in_fork(lambda: in_new_process(file, tests), self.limit)
        finally:
            path.write_text(original)
            os.utime(path, (times.st_atime, times.st_mtime))  # so that its bytecode serves again
        return Outcome(word(status), by, len(tests), time.monotonic() - begin)


def failed(item: pytest.Item) -> bool:
    """Run one collected test; tell whether it failed."""
    from _pytest.runner import runtestprotocol

    return any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def in_new_process(file: str, tests: Sequence[str]) -> tuple[int, str]:
    """Run the tests in a process that has imported nothing yet."""
    command = [sys.executable, "-m", "tests.mutation.trial", file]
    done = subprocess.run(
        command, input=json.dumps(tests), stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout.rpartition("\nby: ")[2].strip()


class Chosen:
    """A plugin of pytest: of what was collected the chosen tests, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}
        self.by = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(kept, key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.by:
            self.by = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.by:
            self.by = report.nodeid


def alone(file: str, tests: Sequence[str]) -> int:
    """Import the file's module, then run the tests until one fails; print which."""
    tree.enter(Path.cwd())
    module = file.removeprefix("src/").removesuffix(".py").replace("/", ".")
    try:
        importlib.import_module(module.removesuffix(".__init__"))
    except BaseException:
        return NO_MODULE
    chosen = Chosen(tests)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    status = pytest.main([*files, *QUIET, "-x", "--tb=no"], plugins=[chosen])
    print(f"\nby: {chosen.by}")
    return int(status)


if __name__ == "__main__":
    sys.exit(alone(sys.argv[1], json.load(sys.stdin)))
