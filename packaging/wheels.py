"""Build the wheels of a release, twice, look at them, and try them where there is no compiler.

`python packaging/wheels.py [PYTHON …]` builds the last commit for each Python given, or for the one
that runs this; a wheel of 3.12 serves all later ones. Both builds must be the same to the last bit.
Zig's compiler links against the oldest C library that manylinux_2_28 stands for.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOM = ROOT / "build" / "wheels"
TARGET = "x86_64-linux-gnu.2.28"
FIRST_STEPS = """
import numpy as np, plogq.numpy as pn
from pathlib import Path
from plogq.kernels import rows, threads
has = set(Path("/proc/cpuinfo").read_text().split())
levels = {"avx2", "fma", "bmi2"}, {"avx512bw", "avx512cd", "avx512dq", "avx512vl"}
best = sum(level <= has for level in levels)
assert best == threads.INSTRUCTION_SET, (best, threads.INSTRUCTION_SET)
assert "native" in str(pn.explain(pn.cross_entropy, np.zeros((2, 3)), np.zeros(2, int)))
print("H =", pn.cross_entropy(np.zeros((2, 4)), np.zeros(2, int)))
"""


def run(*words: object, **options: object) -> str:
    """Run a command; end with what it said if it fails."""
    done = subprocess.run(list(map(str, words)), text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(
            f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def environment(python: str) -> Path:
    """Return the folder of commands of this Python's build environment, made once."""
    version = run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    home = ROOM / f"env-{version}"
    if not (home / "ready").exists():
        print(f"Python {version}: installing what builds wheels …", flush=True)
        run(python, "-m", "venv", "--clear", home)
        asked = [ROOT / "packaging" / "requirements.txt", ROOT / "constraints.txt"]
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet"]
        run(*pip, "-r", asked[0])
        run(*pip, "--no-deps", "-c", asked[1], "jaxlib")  # XLA's headers
        headers_of_debian(home)
        (home / "ready").touch()
    return home / "bin"


def headers_of_debian(home: Path) -> None:
    """Link, under `home`, the headers that Debian's Python keeps where only its compilers look."""
    says = "import sysconfig as s; print(s.get_config_var('MULTIARCH'), s.get_path('include'))"
    machine, include = run(home / "bin" / "python", "-c", says).split()
    room = home / "headers" / machine
    room.mkdir(parents=True)
    apart = Path("/usr/include", machine, Path(include).name)
    if apart.exists():
        (room / apart.name).symlink_to(apart)


def build(commands: Path, folder: Path) -> Path:
    """Return the wheel of the last commit, built in a folder of its own."""
    source, out = folder / "source", folder / "out"
    run("git", "clone", "--quiet", "--no-hardlinks", ROOT, source)
    settings = {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "CXX": str(ROOT / "packaging" / "zig-c++"),
        "CXXFLAGS": f"-isystem {commands.parent / 'headers'}",
        "ZIG_TARGET": TARGET,
        "SOURCE_DATE_EPOCH": run("git", "-C", source, "log", "-1", "--format=%ct").strip(),
    }
    words = [commands / "python", "-m", "build", "--wheel", "--no-isolation", "--outdir", out]
    run(*words, source, env=os.environ | settings)
    (built,) = out.glob("*.whl")
    words = [commands / "auditwheel", "repair", "--wheel-dir", folder, "--plat", "auto", built]
    run(*words, env=os.environ | settings)
    (wheel,) = folder.glob("*.whl")
    return wheel


def look_at(commands: Path, wheel: Path) -> None:
    """End if a tool finds a fault in the wheel's contents, metadata or use of Python's ABI."""
    run(commands / "check-wheel-contents", wheel)
    run(commands / "twine", "check", "--strict", wheel)
    if "abi3" in wheel.name:
        run(commands / "abi3audit", "--strict", wheel)


def first_steps(python: str, wheel: Path, folder: Path) -> None:
    """Install the wheel where no compiler can be found, and run the README's first commands."""
    home = folder / "new"
    run(python, "-m", "venv", home)
    only = {"PATH": str(home / "bin"), "HOME": str(folder), "COLUMNS": "100"}
    only |= {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
    settings = {"env": only, "cwd": folder}
    run(home / "bin" / "pip", "install", "--quiet", f"{wheel}[app]", **settings)
    print(run(home / "bin" / "plogq", "--version", **settings).strip())
    run(home / "bin" / "plogq", "about", **settings)
    run(home / "bin" / "plogq", "demo", **settings)
    print(run(home / "bin" / "python", "-c", FIRST_STEPS, **settings).strip())


def main() -> None:
    """Build, compare, look, try."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], metavar="PYTHON")
    asked = parser.parse_args()
    if run("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no"):
        print("The last commit is built: changes that are not committed are left out.")
    (ROOT / "dist").mkdir(exist_ok=True)
    for python in asked.pythons:
        commands = environment(python)
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            wheels = [build(commands, Path(folder)) for folder in (first, second)]
            digests = [hashlib.sha256(w.read_bytes()).hexdigest() for w in wheels]
            if digests[0] != digests[1]:
                kept = [shutil.copy(w, ROOM / f"{i}-{w.name}") for i, w in enumerate(wheels)]
                sys.exit(f"Two builds differ: compare {kept[0]} and {kept[1]}.")
            look_at(commands, wheels[0])
            first_steps(python, wheels[0], Path(second))
            kept = Path(shutil.copy(wheels[0], ROOT / "dist"))
        size = kept.stat().st_size
        print(f"{kept.relative_to(ROOT)}: {size} bytes, the same twice, sha256 {digests[0]}")


if __name__ == "__main__":
    main()
