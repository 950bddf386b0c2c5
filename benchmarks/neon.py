"""Instructions that arm64 spends on an element of a row: NEON's vectors beside plain loops.

Needs ziglang (packaging/requirements.txt) and Debian's qemu-user-static; `make portable` has both.
The emulator writes a line for each instruction: those of 32 rows less those of 16 are counted.
Loss and gradient, of 7, 130 and 1,000 classes. Counts are exact; they are not times.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import ziglang

HERE = Path(__file__).parent
ZIG = Path(ziglang.__file__).parent / "zig"
# What is built, by the bytes of its vectors: of float64, 8 bytes are no vector at all.
BUILDS = {"8-byte vectors": 8, "NEON, 16 bytes": 16, "32 bytes, in two": 32}


def build(size: int, folder: Path) -> Path:
    """Return the program, for arm64 and without a library beside it."""
    program = folder / f"neon-{size}"
    words = [ZIG, "c++", "-target", "aarch64-linux-musl", "-O3", "-std=c++20"]
    words += [f"-DPLOGQ_VECTOR_BYTES={size}", HERE / "neon.cpp", "-o", program]
    subprocess.run(words, check=True)
    return program


def instructions(program: Path, *given: object) -> tuple[int, str]:
    """Return how many instructions a run takes, and what it prints."""
    log = program.with_suffix(".log")
    words = ["qemu-aarch64-static", "-singlestep", "-d", "exec,nochain", "-D", log, program, *given]
    said = subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout
    with log.open("rb") as lines:
        return sum(line.startswith(b"Trace") for line in lines), said.strip()


def main() -> None:
    """Build, count, print."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {name: build(size, Path(folder)) for name, size in BUILDS.items()}
        print(f"{'instructions per element':26}", *(f"{c:>6} classes" for c in (7, 130, 1000)))
        for kind in ("float", "double"):
            ways = {f"{name}": (program, "kernel") for name, program in programs.items()}
            ways["plain loops, libm's exp"] = (programs["NEON, 16 bytes"], "plain")
            for name, (program, how) in ways.items():
                line = f"{kind:7}{name:25}"
                for classes in (7, 130, 1000):
                    few, _ = instructions(program, how, kind, classes, 16)
                    many, mean = instructions(program, how, kind, classes, 32)
                    line += f"{(many - few) / 16 / classes:8.2f}"
                print(line, f"  mean loss {mean}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
