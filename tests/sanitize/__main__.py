"""The native code built with a sanitizer of the compiler's, under the tests that call it.

`python -m tests.sanitize address` stops at the first access out of bounds, use after free or
undefined operation; `python -m tests.sanitize thread` at the first data race between threads. The
build lies in build/sanitize/, and is made again when native/ changes.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKED = {"address": "address,undefined", "thread": "thread"}
RUNTIME = {"address": ("libasan.so", "libstdc++.so"), "thread": ("libtsan.so", "libstdc++.so")}
COUNTED = ("CMakeLists.txt", "native", "pyproject.toml")  # what a build is made of
TESTS = {  # `--quick`: the first case of each, for the numbers are tested elsewhere
    "address": [["tests/sanitize/calls.py"], ["--quick", "tests/kernels", "tests/codes"]],
    "thread": [["tests/sanitize/threads.py"]],
}
OPTIONS = {
    # Python itself keeps memory until it ends. A test asks for more memory than there is, and is
    # to get an error.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"suppressions={Path(__file__).with_name('thread_suppressions.txt')}"
    ":halt_on_error=1:history_size=4",
}


def folder(kind: str) -> Path:
    return ROOT / "build" / "sanitize" / kind


def native(kind: str) -> Path:
    """Return the folder of the native module that is built with a sanitizer."""
    return folder(kind) / "plogq" / "kernels"


def build(kind: str) -> None:
    """Build it, unless a later build is there."""
    sources = [f for name in COUNTED for f in [ROOT / name, *(ROOT / name).glob("*")]]
    made = list(native(kind).glob("_native*.so"))
    if made and made[0].stat().st_mtime > max(f.stat().st_mtime for f in sources):
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--upgrade", "--target", folder(kind),
               "-C", f"build-dir={folder(kind)}-objects", "-C", "cmake.build-type=Debug",
               "-C", f"cmake.define.PLOGQ_SANITIZE={CHECKED[kind]}",
               "-C", "cmake.define.PLOGQ_XLA_FFI_INCLUDE=OFF", ROOT]  # fmt: skip
    cores = str(os.cpu_count() or 1)
    begin = time.monotonic()
    subprocess.run(command, env={**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": cores}, check=True)
    for file in native(kind).glob("_native*.so"):
        file.touch()  # pip keeps the time of the build's own file
    print(f"built with -fsanitize={CHECKED[kind]} in {time.monotonic() - begin:.0f} s", flush=True)


def environment(kind: str) -> dict[str, str]:
    """Return the variables with which Python loads that module, and the sanitizer before it."""
    compiler = os.environ.get("CXX", "c++")
    libraries = [
        subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in RUNTIME[kind]
    ]
    return {
        **os.environ,
        **OPTIONS,
        "PYTHONPATH": str(Path(__file__).parent),
        "PLOGQ_NATIVE": str(native(kind)),
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",  # Python's own allocator would hide small arrays from it
        "OPENBLAS_NUM_THREADS": "1",
    }


def run(kind: str, arguments: list[str]) -> int:
    """Run Python with that module, and return the exit status."""
    command = [sys.executable, *arguments]
    if kind == "thread":  # ThreadSanitizer of GCC 12 needs addresses that are not randomised widely
        command = ["setarch", "-R", *command]
    return subprocess.run(command, cwd=ROOT, env=environment(kind), check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sanitize")
    parser.add_argument("kind", choices=CHECKED)
    parser.add_argument("arguments", nargs="*", help="Python's; without them, the tests run")
    given = parser.parse_args()
    build(given.kind)
    # Tests' output is caught inside of Python alone, so that what a sanitizer writes is seen.
    pytest = ["-m", "pytest", "-q", "-m", "not slow", "--capture=sys", "-p", "no:cacheprovider"]
    runs = [given.arguments] if given.arguments else [pytest + t for t in TESTS[given.kind]]
    begin = time.monotonic()
    statuses = [run(given.kind, arguments) for arguments in runs]
    print(f"{given.kind}: {time.monotonic() - begin:.0f} s, exit status {max(map(abs, statuses))}")
    sys.exit(any(statuses))


if __name__ == "__main__":
    main()
