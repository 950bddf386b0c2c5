"""What the benchmarks share: runs that take turns, and a word on the machine."""

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")


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
