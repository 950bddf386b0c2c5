"""What happens to a command from outside, and what must hold of it then.

Each fault runs a command once, and returns what was wrong with how it ended: nothing, if all is
well.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.commands import Command
from tests.faults.running import OLD, UNFINISHED, Place, Run, place

PAGE = 4096
EARLY = 'cli/__init__.py"'  # a traceback without it is of Python's own start


@dataclass(frozen=True)
class Whole:
    """A run that nothing happens to: what the others are held against."""

    run: Run
    seconds: float


def whole(command: Command, inputs: Path) -> Whole:
    """Run a command to its end."""
    with place(command, inputs) as there:
        begin = time.monotonic()
        run = there.run()
        seconds = time.monotonic() - begin
    missing = [name for name in command.outputs if name not in run.files]
    if run.status != command.status or missing or run.temporary or run.processes:
        raise AssertionError(f"{command.name}: {run.status} {missing} {run.temporary} {run.said}")
    return Whole(run, seconds)


def killed(
    command: Command, inputs: Path, of: Whole, which: signal.Signals, rng: random.Random
) -> list[str]:
    """Send a signal at a random moment, or as soon as a file is begun."""
    everyone = which != signal.SIGKILL and rng.random() < 0.5  # as a terminal does
    moment = rng.uniform(0, 1.05 * of.seconds)
    while_writing = bool(command.outputs or command.copies) and rng.random() < 0.2

    def kill(process: subprocess.Popen[bytes], work: Path) -> None:
        if while_writing:
            while process.poll() is None and not any(UNFINISHED.match(n) for n in _names(work)):
                time.sleep(0.0002)
        else:
            time.sleep(moment)
        if process.poll() is None:
            (os.killpg if everyone else os.kill)(process.pid, which)

    with place(command, inputs, old=rng.random() < 0.5) as there:
        run = there.run(kill)
        ends = {-which} if which == signal.SIGKILL else {128 + which}
        wrong = judged(command, inputs, run, of.run, ends, interrupted=which)
        if command.resumes and run.status != command.status:
            wrong += _resumed(there, of.run)
        return wrong


def _names(folder: Path) -> list[str]:
    return [name for _, _, files in os.walk(folder) for name in files]


def _resumed(there: Place, of: Run) -> list[str]:
    """Return what is wrong after the same command has run again."""
    again = there.run()
    wrong = judged(there.command, there.inputs, again, of, set())
    return [f"run again: {each}" for each in wrong if "left in its folder" not in each]


def full_disk(command: Command, inputs: Path, of: Whole, rng: random.Random) -> list[str]:
    """Let the disk be full before an output is whole; without outputs, that of the report.

    It is a file system of a few pages, or, where none may be mounted, a limit to the size of files.
    """
    if not (command.outputs or command.copies):
        with place(command, inputs) as there, Path("/dev/full").open("w") as full:
            run = there.run(stdout=full.fileno())
            return judged(command, inputs, run, of.run, {1}, said="No space left")
    large = max(len(of.run.files[name]) for name in command.outputs or of.run.files)
    most = rng.randrange(min(300, large - 1), large)  # the sentence goes to a file, too
    with place(command, inputs, old=rng.random() < 0.5) as there:
        if large > 3 * PAGE and not command.copies and rng.random() < 0.5:
            with _small_disk(there.work, most // PAGE * PAGE) as mounted:
                if mounted:
                    run = there.run()
                    return judged(command, inputs, run, of.run, {1}, said="No space left")
        run = there.run(limits={resource.RLIMIT_FSIZE: most})
        # Where files are changed, stderr has the changes, and is a file that is too large itself.
        said = None if command.copies else "File too large"
        return judged(command, inputs, run, of.run, {1}, said=said)


@contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[bool]:
    """Mount a disk of so many bytes, and yield whether that was allowed."""
    options = ["-t", "tmpfs", "-o", f"size={max(size, PAGE)},mode=777", "tmpfs", str(folder)]
    mounted = not subprocess.run(["mount", *options], capture_output=True, check=False).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def read_only(command: Command, inputs: Path, of: Whole, rng: random.Random) -> list[str]:
    """Let the folder be one that may not be written to."""
    with place(command, inputs) as there:
        folders = [there.work, *(path for path in there.work.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        run = there.run(owner_alone=True)
        for folder in folders:
            folder.chmod(0o755)
        return judged(command, inputs, run, of.run, {1}, said="read-only")


def little_memory(command: Command, inputs: Path, of: Whole, rng: random.Random) -> list[str]:
    """Let the process have a random amount of memory."""
    most = rng.randrange(256 << 20, 3 << 30)
    with place(command, inputs) as there:
        run = there.run(limits={resource.RLIMIT_AS: most})
        wrong = judged(command, inputs, run, of.run, {1}, said="")
        return [f"{most >> 20} MiB: {each}" for each in wrong]


def closed_pipe(command: Command, inputs: Path, of: Whole, rng: random.Random) -> list[str]:
    """Let the reader of standard output end after its first bytes, or before."""
    ours, theirs = os.pipe()
    before = rng.random() < 0.5

    def close(process: subprocess.Popen[bytes], work: Path) -> None:
        os.close(theirs)
        if not before:
            os.read(ours, 1)
        os.close(ours)

    with place(command, inputs) as there:
        run = there.run(close, stdout=theirs)
        run.printed = b""
        wrong = judged(command, inputs, run, of.run, {1}, said="")
        missing = [name for name in command.outputs if run.files.get(name) != of.run.files[name]]
        if missing and command.same:  # files are written before the report; a demo tells as it goes
            wrong.append(f"not written: {missing}")
        return wrong


def worker_killed(command: Command, inputs: Path, of: Whole, rng: random.Random) -> list[str]:
    """Kill one of the processes that a command has started, at a random moment."""
    moment = rng.uniform(0, of.seconds)

    def kill(process: subprocess.Popen[bytes], work: Path) -> None:
        time.sleep(moment)
        while process.poll() is None:
            if workers := _workers(process.pid):
                try:
                    os.kill(rng.choice(workers), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                return
            time.sleep(0.005)

    with place(command, inputs) as there:
        return judged(command, inputs, there.run(kill), of.run, {1}, said="")


def _workers(parent: int) -> list[int]:
    """Return the children of a process, and theirs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" ")
            above = int(rest.rpartition(")")[2].split()[1])
            if b"spawn_main" in stat.with_name("cmdline").read_bytes():
                children.setdefault(above, []).append(int(pid))
        except (OSError, ValueError):
            continue
    found, new = [], [parent]
    while new:
        new = [child for each in new for child in children.get(each, [])]
        found += new
    return found


def judged(
    command: Command,
    inputs: Path,
    run: Run,
    of: Run,
    ends: set[int],
    *,
    interrupted: signal.Signals | None = None,
    said: str | None = None,
) -> list[str]:
    """Return what is wrong with a run that may have ended in `ends`, or as if nothing had been.

    `said` is what its one sentence must contain if it did not.
    """
    wrong = []
    done = run.status == command.status
    early = _before_main(run, interrupted)
    if not done and run.status not in ends and not early:
        wrong.append(f"status {run.status}: {run.said[-300:]}")
    if "Traceback" in run.said and not early:
        wrong.append(f"a traceback: {run.said[-600:]}")
    lines = [line for line in run.said.splitlines() if line.strip()]
    if not done and not early:
        if len(lines) > 1 and not command.copies:  # it prints what it changes
            wrong.append(f"{len(lines)} lines: {run.said[-300:]}")
        elif said is not None and said not in run.said:
            wrong.append(f"not {said!r}: {run.said[-300:]}")
    if done and command.same and run.printed and run.printed != of.printed:
        wrong.append(f"printed otherwise: {run.printed[:200]!r}")
    for name in command.outputs:
        there = run.files.get(name)
        if command.same and there not in (None, OLD, of.files[name]):
            wrong.append(f"{name}: {len(there)} bytes of {len(of.files[name])}")
        if done and (there is None or there == OLD):
            wrong.append(f"{name}: not there, and status {run.status}")
    wrong += _left_over(command, inputs, run, of, killed=interrupted == signal.SIGKILL)
    if run.processes:
        wrong.append(f"processes left: {run.processes}")
    return wrong


def _before_main(run: Run, which: signal.Signals | None) -> bool:
    """Return whether a signal came while Python itself started, before there was a command.

    Python then dies of it, or says KeyboardInterrupt (with status 1 if it was reading .pth files).
    """
    ends = {-which, 1} if which == signal.SIGINT else {-(which or 0)}
    return which is not None and run.status in ends and EARLY not in run.said


def _left_over(command: Command, inputs: Path, run: Run, of: Run, killed: bool) -> list[str]:
    wrong = []
    for name, data in run.files.items():
        path = Path(name)
        if name in command.outputs or (killed and UNFINISHED.match(path.name)):
            continue
        if command.resumes and path.parts[0] == command.resumes:
            continue
        if command.copies and path.parts[0] == command.copies:
            before = inputs / name
            if data not in (before.read_bytes(), of.files.get(name)):
                wrong.append(f"{name} is neither the old file nor the new one")
            if run.modes[name] != before.stat().st_mode & 0o777:
                wrong.append(f"{name} has mode {run.modes[name]:o}")
            continue
        wrong.append(f"left in its folder: {name}")
    if run.temporary and not killed:
        wrong.append(f"left in the temporary folder: {run.temporary}")
    return wrong
