"""Files of code, looked at by the checks of code."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from plogq.doctor.check import CODE, Check, all_checks, chosen
from plogq.doctor.finding import Diagnosis, Finding, Unread
from plogq.doctor.source.code import Code
from plogq.doctor.source.files import source_files
from plogq.doctor.source.settings import Settings, settings_for
from plogq.doctor.source.text import UnreadableError, parsed, read_text, reason
from plogq.signals import held_back, none_left_behind

Progress = Callable[[int, int | None], None]
Answer = tuple[bool, tuple[Finding, ...], tuple[Unread, ...]]

FEW = 60  # files: reading them takes less time than starting processes
CHUNK = 8  # files that a process is given at a time
# A file without any of these words holds no loss that a check knows, nor a logarithm.
WORDS = re.compile(r"torch|keras|tensorflow|jax|optax|flax|sklearn|numpy")
NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Za-z]+[0-9]+(?:[,\s]+[A-Za-z]+[0-9]+)*))?", re.I)


def check_code(
    paths: Sequence[str | Path] | str | Path,
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Diagnosis:
    """Return the mistakes in Python files and notebooks, which are read and not run.

    Parameters
    ----------
    paths
        Files and folders.
    select, ignore
        Codes of checks, or how codes begin.
    exclude
        Patterns of paths that are not read.
    workers
        How many processes read, where there are many files. A script that asks for several needs
        `if __name__ == "__main__":`.
    progress
        Called with how many files are done, of how many.

    Raises
    ------
    ValueError
        A path is no Python file, notebook or folder, or a code is no check's.
    OSError
        There is no such file.
    """
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    settings = settings_for(paths, Settings(select, ignore, exclude))
    looking, not_run = chosen(CODE, settings.select, settings.ignore)
    files = source_files(paths, settings.exclude or ())
    read: list[Path] = []
    findings: list[Finding] = []
    unread: list[Unread] = []
    answers = zip(files, _answers(files, looking, workers), strict=True)
    for done, (file, (was_read, found, not_read)) in enumerate(answers, 1):
        if was_read:
            read.append(file)
        findings += found
        unread += not_read
        if progress is not None:
            progress(done, len(files))
    looked_at = "".join(map(str, read)) if len(read) < 2 else f"{len(read):,} files"
    codes = tuple(each.code for each in looking)
    return Diagnosis(looked_at, codes, tuple(findings), not_run, tuple(unread))


def _answers(files: Sequence[Path], looking: Sequence[Check], workers: int) -> Iterator[Answer]:
    codes = tuple(each.code for each in looking)
    workers = min(workers, len(files) // FEW + 1)
    if workers == 1:
        for file in files:
            yield _answer(file, codes)
        return
    # Both take long to load.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    spawn = get_context("spawn")
    with (
        ProcessPoolExecutor(workers, spawn, initializer=_end_with_parent) as pool,
        none_left_behind(),
    ):
        with held_back():  # the processes start here
            answers = [
                pool.submit(_answers_of, files[start : start + CHUNK], codes)
                for start in range(0, len(files), CHUNK)
            ]
        try:
            for each in answers:
                yield from each.result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a process that read files was killed, perhaps for lack of memory: run it again, "
                "on fewer files"
            ) from error


def _end_with_parent() -> None:
    """End this process when the one that it reads for has been killed: no queue tells of that."""

    def wait() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _answers_of(paths: Sequence[Path], codes: Sequence[str]) -> list[Answer]:
    return [_answer(path, codes) for path in paths]


def _answer(path: Path, codes: Sequence[str]) -> Answer:
    """Return whether a file was read, what checks find in it, and what of it cannot be read."""
    try:
        text = read_text(path)
        unread = tuple(Unread(str(path), each) for each in text.skipped)
        tree = parsed(text.text)
        if not WORDS.search(text.text):
            return True, (), unread
        return True, _found(Code(text, tree), codes), unread
    except OSError as error:
        return False, (), (Unread(str(path), error.strerror or str(error)),)
    except SyntaxError as error:
        return False, (), (Unread(str(path), f"not Python: {reason(error)}"),)
    except UnreadableError as error:
        return False, (), (Unread(str(path), str(error)),)
    except RecursionError:
        return False, (), (Unread(str(path), "nested too deep"),)


def _found(code: Code, codes: Sequence[str]) -> tuple[Finding, ...]:
    found = [
        finding
        for check in all_checks(CODE)
        if check.code in codes
        for finding in check.findings(code)
        if not _silenced(finding, code)
    ]
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[int, int, int, str]:
    where = finding.where
    return where.cell or 0, where.line or 0, where.column or 0, finding.code


def _silenced(finding: Finding, code: Code) -> bool:
    """Return whether a comment on a line of the finding's statement says noqa."""
    for line in code.comment_lines(finding.where):
        if noqa := NOQA.search(line):
            codes = noqa["codes"]
            if codes is None or finding.code in re.split(r"[,\s]+", codes.upper()):
                return True
    return False
