"""What the benchmarks share: runs that take turns, and a word on the machine."""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")
TUNED = {"THP_MEM_ALLOC_ENABLE": "1"}  # PyTorch with its allocator at its best


def medians(contenders: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, over rounds in which each runs twice: the second is timed.

    The first warms up what a loop would find warm. In a virtual machine that is more than caches:
    a hypervisor may take back memory that has been free for a second, and touching it again then
    costs ten times what it costs to touch memory that was freed just before.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order, rounds = list(contenders.items()), random.Random(0)
    for _ in range(repeats):
        rounds.shuffle(order)  # what ran before leaves its mark: it should not always be the same
        for name, run in order:
            run()
            begin = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - begin) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


def machine(*packages: str) -> str:
    """Describe the processor, what this process may use of it, and the versions compared."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.split(":")[1].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    settings = {
        "processor": models[0] if models else platform.processor(),
        "cores of this process": len(os.sched_getaffinity(0)),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        "transparent huge pages": THP.read_text().strip() if THP.exists() else "none",
        "system": platform.platform(),
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
        ),
    }
    return "\n".join(f"{name}: {value}" for name, value in settings.items())


def _status(field: str) -> float:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) / 1024


def extra_memory(run: Callable[[], object]) -> dict[str, float]:
    """Return how many MB a run needs at its peak beyond what was there before it, under Linux."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    run()
    return {"extra": _status("VmHWM") - before}


def line(name: str, figures: list[str], columns: Sequence[str] = ()) -> str:
    """Return a line of a table: a name, then figures as wide as their columns."""
    widths = [max(11, len(column) + 2) for column in columns] or [11] * len(figures)
    return f"{name:34}" + "".join(f"{f:>{w}}" for f, w in zip(figures, widths, strict=True))


def compare(
    about: str,
    tasks: dict[str, Callable[..., dict[str, float]]],
    report: Callable[[bool], Iterable[str]],
    results: Path,
) -> None:
    """Run a benchmark from the command line: its report, or one of its tasks as a child.

    `report` is given whether it is to be quick, with small shapes: then nothing is written.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="small shapes, nothing written")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        name, *task = asked.child
        print(json.dumps(tasks[name](*task)))
        return
    print_and_keep(report(asked.quick), None if asked.quick else results)


def in_own_process(environment: dict[str, str], *task: object) -> dict[str, float]:
    """Run the calling benchmark's `--child` with a task, and read the figures that it prints."""
    run = subprocess.run(
        [sys.executable, sys.argv[0], "--child", json.dumps(task)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(run.stdout)


def print_and_keep(lines: Iterable[str], results: Path | None) -> None:
    """Print the lines as they come, and write them to the file when all are there."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    if results is not None:
        results.parent.mkdir(exist_ok=True)
        results.write_text("\n".join(kept) + "\n")
