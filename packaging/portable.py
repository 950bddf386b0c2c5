"""Run the portable tests on an emulated arm64: `make portable [ARGS="pytest's options"]`.

Needs root, Debian's debootstrap, qemu-user-static and binfmt-support, and Python 3.11. A Debian
tree is unpacked, not configured, and its Python run by the emulator; the native code is compiled
by packaging/cross.py. Without options, the first case of each test that is not slow: half an hour
on two busy cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from cross import compile_for
from wheels import ROOT, environment, run

ROOM = ROOT / "build" / "portable"
TREE = ROOM / "tree"
SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PYTHON = "3.11"  # Debian's in that suite
REGISTERED = Path("/proc/sys/fs/binfmt_misc")
NO_WHEEL = "constriction"  # none for Linux on arm64; its tests are skipped without it
TESTS = ["pytest", "hypothesis", "mpmath", "typing_extensions"]
QUICK = ["--quick", "-m", "not slow"]


def emulator() -> None:
    """End if this machine does not hand arm64 programs to the emulator, chroot's included."""
    if not (REGISTERED / "status").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", REGISTERED)
    if not (REGISTERED / "qemu-aarch64").exists():
        run("update-binfmts", "--enable", "qemu-aarch64")


def tree() -> None:
    """Unpack Debian's Python for arm64; what its packages would configure is not needed."""
    if (TREE / "ready").exists():
        return
    shutil.rmtree(TREE, ignore_errors=True)
    words = ["--arch=arm64", "--foreign", "--variant=minbase", "--include=python3"]
    run("debootstrap", *words, SUITE, TREE, MIRROR)
    for package in sorted((TREE / "var" / "cache" / "apt" / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, TREE)
    (TREE / "ready").touch()


def packages() -> None:
    """Install what plogq and the tests import, as wheels for arm64 of the versions pinned."""
    site = TREE / "opt" / "packages"
    if site.exists():
        return
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", site]
    words += ["-c", ROOT / "constraints.txt", "--only-binary=:all:", "--python-version", PYTHON]
    for platform in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"):
        words += ["--platform", f"{platform}_aarch64"]
    run(*words, *TESTS, *requirements())


def requirements() -> list[str]:
    """Return what pyproject.toml asks for, with the extra that the portable tests use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["app"]]
    return [one for one in asked if not one.startswith(NO_WHEEL)]


def plogq(native: Path) -> None:
    """Put the repository, and the package with its compiled module, into the tree."""
    work = TREE / "work"
    shutil.rmtree(work, ignore_errors=True)
    names = ["src", "tests", "docs", "examples", "native", "pyproject.toml", "conftest.py"]
    names += ["CHANGELOG.md", "README.md", "benchmarks"]
    run("cp", "-r", "--parents", *names, _made(work), cwd=ROOT)
    (module,) = native.glob("_native*.so")
    kernels = work / "src" / "plogq" / "kernels"
    for old in kernels.glob("_native*.so"):
        old.unlink()
    shutil.copy(module, kernels / "_native.so")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Build the tree where it is missing, then test."""
    emulator()
    tree()
    packages()
    plogq(compile_for("aarch64-linux", environment(f"python{PYTHON}")))
    inside = {"PYTHONPATH": "/opt/packages:/work/src", "HOME": "/root", "PATH": "/usr/bin:/bin"}
    words = ["chroot", TREE, "/usr/bin/python3", "/work/tests/portable.py", "-q"]
    words += sys.argv[1:] or QUICK
    sys.exit(subprocess.run(list(map(str, words)), env=os.environ | inside, check=False).returncode)


if __name__ == "__main__":
    main()
