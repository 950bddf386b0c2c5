"""Compile the native code for other systems: `python packaging/cross.py [TARGET …]`.

Zig's compiler has the C and C++ library of each; any warning of ours is an error. Python's headers
are those of the Python that runs this, with a configuration that states the other system's sizes.
What is linked is the module for Linux alone: no import library of Python is here for the others.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from wheels import ROOT, environment, run

ROOM = ROOT / "build" / "cross"
# What CMake and Zig call each: the system, the processor, the target.
TARGETS = {
    "aarch64-linux": ("Linux", "aarch64", "aarch64-linux-gnu.2.28"),
    "x86_64-macos": ("Darwin", "x86_64", "x86_64-macos"),
    "aarch64-macos": ("Darwin", "arm64", "aarch64-macos"),
    # Not among those compiled unasked: CMake finds no Python for it yet.
    "x86_64-windows": ("Windows", "AMD64", "x86_64-windows-gnu"),
}
SIZES = {"SHORT": 2, "INT": 4, "LONG_LONG": 8, "VOID_P": 8, "SIZE_T": 8, "TIME_T": 8, "PID_T": 4}
SIZES |= {"FLOAT": 4, "DOUBLE": 8, "OFF_T": 8, "FPOS_T": 8, "UINTPTR_T": 8, "_BOOL": 1}
EVERYWHERE = "HAVE_STDARG_PROTOTYPES HAVE_STDINT_H HAVE_SYS_TYPES_H HAVE_SYS_STAT_H HAVE_WCHAR_H"
WINDOWS = "MS_WINDOWS MS_WIN32 MS_WIN64 HAVE_DECLSPEC_DLL"
POSIX = "HAVE_UNISTD_H HAVE_SYS_TIME_H HAVE_SYS_SELECT_H HAVE_PTHREAD_H HAVE_CLOCK_GETTIME"


def configuration(system: str) -> str:
    """Return a pyconfig.h of this system: what Python's headers need of it to be read."""
    windows = system == "Windows"
    sizes = SIZES | {"LONG": 4 if windows else 8, "WCHAR_T": 2 if windows else 4}
    lines = [f"#define SIZEOF_{name} {size}" for name, size in sizes.items()]
    names = f"{EVERYWHERE} {WINDOWS if windows else POSIX}"
    return "\n".join(["#pragma once", *lines, *(f"#define {name} 1" for name in names.split())])


def compile_for(target: str, commands: Path) -> Path:
    """Return the folder where all of native/ was compiled for the target."""
    system, processor, zig_target = TARGETS[target]
    room = ROOM / target
    headers = room / "headers"
    headers.mkdir(parents=True, exist_ok=True)
    (headers / "pyconfig.h").write_text(configuration(system) + "\n")
    (headers / "none.lib").touch()  # CMake asks for Python's library; nothing is linked with it
    include = run(commands / "python", "-c", "import sysconfig as s; print(s.get_path('include'))")
    settings = os.environ | {"ZIG_TARGET": zig_target, "PATH": f"{commands}:{os.environ['PATH']}"}
    # The binding's own code is CMake's to compile when the module is linked.
    words = {
        "CMAKE_SYSTEM_NAME": system,
        "CMAKE_SYSTEM_PROCESSOR": processor,
        "CMAKE_CXX_COMPILER": ROOT / "packaging" / "zig-c++",
        "CMAKE_CXX_FLAGS": f"-isystem {headers}",
        "CMAKE_TRY_COMPILE_TARGET_TYPE": "STATIC_LIBRARY",  # there is nothing to link it with
        "CMAKE_INSTALL_NAME_TOOL": "true",  # a tool of macOS, for what is linked
        "CMAKE_OSX_SYSROOT": "",
        "CMAKE_OSX_ARCHITECTURES": "",
        "Python_EXECUTABLE": commands / "python",
        "Python_INCLUDE_DIR": include.strip(),
        "Python_LIBRARY": headers / "none.lib",
        "PLOGQ_STRICT": "ON",
        "PLOGQ_XLA_FFI_INCLUDE": xla_headers(commands),
        "SKBUILD_PROJECT_VERSION": "0",
        "SKBUILD_METADATA_DIR": room / "metadata",
    }
    defined = [f"-D{name}={value}" for name, value in words.items()]
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", room, *defined, env=settings)
    known = run("ninja", "-C", room, "-t", "targets", "all", env=settings)
    ours = re.findall(r"^(CMakeFiles/(?:rows_|_native).*native/.*\.o(?:bj)?):", known, re.M)
    if len(ours) < 6:
        sys.exit(f"{target}: only {ours} of native/ are known to the build")
    run("ninja", "-C", room, *(["all"] if system == "Linux" else ours), env=settings)
    print(f"{target}: {len(ours)} files compiled, no warning", flush=True)
    return room


def xla_headers(commands: Path) -> str:
    """Return the folder of XLA's headers, which the environment that builds wheels has."""
    says = "import sysconfig as s; print(s.get_path('platlib'))"
    return f"{run(commands / 'python', '-c', says).strip()}/jaxlib/include"


def main() -> None:
    """Compile for each target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS)[:3], metavar="TARGET")
    asked = parser.parse_args()
    if unknown := set(asked.targets) - set(TARGETS):
        parser.error(f"TARGET must be of {', '.join(TARGETS)}; got {', '.join(sorted(unknown))}")
    commands = environment(sys.executable)
    for target in asked.targets:
        compile_for(target, commands)


if __name__ == "__main__":
    main()
