"""plogq about: versions, processor, engines and extras, to be pasted into a bug report."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module, metadata, util
from types import ModuleType

from plogq.cli.parser import Commands, add_command
from plogq.extras import EXTRA_OF

EXAMPLES = """
plogq about                            # starts every framework: seconds
"""

DOORS = ("numpy", "torch", "jax", "keras")


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    add_command(
        commands,
        "about",
        _run,
        "print versions, the processor, engines and extras: what a bug report needs",
        takes="",
        examples=EXAMPLES,
    )


def _run(arguments: argparse.Namespace) -> None:
    rows = [*_machine(), *_doors(), *_extras()]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


def _machine() -> Iterator[tuple[str, str]]:
    from plogq import __version__
    from plogq.kernels.threads import INSTRUCTION_SETS, default_threads

    yield "plogq", __version__
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    yield "system", f"{platform.platform()}, {platform.machine()}"
    *others, best = INSTRUCTION_SETS
    also = f" (also compiled, and run by this processor: {', '.join(others)})" if others else ""
    yield "instruction set", f"{best}{also}"
    yield "threads", str(default_threads())


def _doors() -> Iterator[tuple[str, str]]:
    """Return the losses of each framework: with which engines, or why not."""
    for name in DOORS:
        try:
            door = import_module(f"plogq.{name}")
        except Exception as error:  # whatever a framework raises as it starts belongs in a report
            yield f"plogq.{name}", f"not there: {' '.join(str(error).split())}"
            continue
        yield f"plogq.{name}", f"{name} {_version(name)}, {_engines(name, door)}"


def _engines(name: str, door: ModuleType) -> str:
    if name == "keras":
        backend: str = sys.modules["keras"].backend.backend()
        return f"on the backend {backend}"
    engines = ", ".join(door.ENGINES.names())
    if name == "jax":
        from plogq.kernels.xla_rows import xla_rows

        if xla_rows() is None:
            return f"engines {engines}; native is closed: plogq was built without XLA's headers"
    return f"engines {engines}"


def _extras() -> Iterator[tuple[str, str]]:
    """Return what each extra has installed, or would install."""
    for extra in dict.fromkeys(EXTRA_OF.values()):
        packages = [name for name, of in EXTRA_OF.items() if of == extra]
        there = [f"{name} {_version(name)}" for name in packages if util.find_spec(name)]
        missing = [name for name in packages if not util.find_spec(name)]
        text = ", ".join(there)
        if missing:
            install = f"without {', '.join(missing)}: pip install 'plogq[{extra}]'"
            text = f"{text}; {install}" if there else install
        yield f"[{extra}]", text


def _version(name: str) -> str:
    """Return the version of the distribution that a package comes from."""
    try:
        return metadata.version(_distributions().get(name, [name])[0])
    except metadata.PackageNotFoundError:
        return "of no known version"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
