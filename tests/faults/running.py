"""A command in a process group of its own, to which a fault happens, and what it leaves behind."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.commands import Command

OLD = b"what was there before\n"
UNFINISHED = re.compile(r"\..+\.\d+\.part")  # a file that is being written, beside its place
# Of Linux: root that has lost this capability may not write to what is read-only.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
SECONDS = 120  # that a command may take, under whatever happens to it


@dataclass
class Run:
    """What a command ended with, and what there is then."""

    status: int
    printed: bytes
    said: str
    files: dict[str, bytes]  # of its folder, by their paths in it
    modes: dict[str, int]
    temporary: list[str]  # names in the folder for temporary files
    processes: list[str] = field(default_factory=list)  # that it has left behind


class Place:
    """A folder that a command runs in, and one for its temporary files."""

    def __init__(self, root: Path, command: Command, inputs: Path, old: bool = False) -> None:
        self.root, self.command, self.inputs = root, command, inputs
        self.work, self.tmp = root / "work", root / "tmp"
        for folder in (self.work, self.tmp):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        if command.copies:
            shutil.copytree(inputs / command.copies, self.work / command.copies)
        if old:
            for name in command.outputs:
                if "/" not in name:
                    (self.work / name).write_bytes(OLD)

    def run(
        self,
        disturb: Callable[[subprocess.Popen[bytes], Path], None] | None = None,
        *,
        limits: dict[int, int] | None = None,
        owner_alone: bool = False,
        stdout: int | None = None,
    ) -> Run:
        """Run the command, disturb it, and return what is there when all has ended."""
        limits = limits or {}

        def begin() -> None:
            for which, most in limits.items():
                resource.setrlimit(which, (most, most))
            if owner_alone and os.geteuid() == 0:
                ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)

        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                self.command.argv(self.inputs), cwd=self.work, preexec_fn=begin,
                stdin=subprocess.DEVNULL, stdout=out if stdout is None else stdout, stderr=err,
                start_new_session=True, env=environment(self.tmp),
            )  # fmt: skip
            try:
                if disturb is not None:
                    disturb(process, self.work)
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                status = 999
            processes = _left(process.pid)
            for stream in (out, err):
                stream.seek(0)
            return Run(
                status, out.read(), err.read().decode(errors="replace"), _files(self.work),
                _modes(self.work), sorted(path.name for path in self.tmp.iterdir()), processes,
            )  # fmt: skip


def environment(tmp: Path) -> dict[str, str]:
    """Return the environment of a command: its own temporary folder, and nothing compiled anew."""
    own = {
        "TMPDIR": str(tmp),
        "HOME": str(tmp),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
    }
    return os.environ | own


@contextmanager
def place(command: Command, inputs: Path, old: bool = False) -> Iterator[Place]:
    """Yield a folder for one run; all may enter it."""
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    root.chmod(0o755)
    try:
        yield Place(root, command, inputs, old)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _modes(folder: Path) -> dict[str, int]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in paths}


def _left(session: int) -> list[str]:
    """Return the processes of a session that are there ten seconds after its first has ended."""
    end = time.monotonic() + 10
    while (left := _of_session(session)) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(int(pid.split()[0]), signal.SIGKILL)
    return left


def _of_session(session: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" ")
            name, _, fields = rest.rpartition(")")
            state, _, _, of = fields.split()[:4]
            if int(of) == session and state != "Z":
                found.append(f"{pid} {name}")
        except (OSError, ValueError):  # it has ended meanwhile
            continue
    return found
