"""Every command that takes long or writes, killed at random moments, and short of what it needs.

`tests/faults/` has the commands, what happens to them, and what must hold then: no file but a whole
one, none left over, the right exit status, one sentence and no traceback, no process left, and the
same bits when a run goes on. Prints how often it held, and what did not, and writes it to
benchmarks/results/faults.txt and into docs/reliability.md.
"""

import argparse
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from _side_by_side import machine  # noqa: E402

from tests.faults import faults  # noqa: E402
from tests.faults.commands import COMMANDS, Command, make_inputs  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "faults.txt"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- benchmarks/faults.py -->\n```\n", "```\n<!-- end -->\n"
NAME = 26  # characters of a row that are the command's name
NAMES = [each.name for each in COMMANDS]
Fault = Callable[..., list[str]]


def columns(moments: int) -> dict[str, tuple[int, Fault]]:
    """Return how often each fault is tried, and what it is."""
    few = max(1, moments // 10)
    thirds = [moments - 2 * (moments // 3), moments // 3, moments // 3]
    which = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    return {
        each.name: (times, partial(faults.killed, which=each))
        for each, times in zip(which, thirds, strict=True)
    } | {
        "disk full": (few, faults.full_disk),
        "read-only": (1, faults.read_only),
        "memory": (few, faults.little_memory),
        "pipe": (2, faults.closed_pipe),
        "worker": (few, faults.worker_killed),
    }


def row(command: Command, inputs: Path, moments: int) -> tuple[str, Counter[str]]:
    """Return a command's row of the table, and what did not hold."""
    faults.whole(command, inputs)  # what is read and loaded lies in memory then
    of = faults.whole(command, inputs)
    cells, wrong = [], Counter[str]()
    for name, (times, fault) in columns(moments).items():
        if (name == "worker" and not command.workers) or (
            name == "read-only" and not command.outputs
        ):
            cells.append("-")
            continue
        rng = random.Random(f"{command.name} {name}")
        held = 0
        for _ in range(times):
            found = fault(command, inputs, of, rng=rng)
            held += not found
            wrong.update(f"{command.name}, {name}: {' '.join(each.split())}" for each in found)
        cells.append(f"{held}/{times}")
    return f"{command.name:{NAME}}" + "".join(f"{cell:>10}" for cell in cells), wrong


def table(moments: int, chosen: list[Command], at_once: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each command's row as it comes, and what did not hold."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
        inputs = Path(folder)
        make_inputs(inputs, rows=100_000, model=any(each.resumes for each in chosen))
        rows = [pool.submit(row, each, inputs, moments) for each in chosen]
        for each in as_completed(rows):
            line, wrong = each.result()
            yield line, [f"  {times} × {said[:500]}" for said, times in wrong.most_common()]


def keep(rows: dict[str, str], head: str) -> None:
    """Write rows into the results and the page; those of other commands stay as they are."""
    if RESULTS.exists():
        lines = RESULTS.read_text().splitlines()
        rows = {name: line for line in lines if (name := line[:NAME].strip()) in NAMES} | rows
    ordered = [rows[name] for name in NAMES if name in rows]
    text = "\n".join([machine("numpy", "pyarrow", "distributed"), "", head, *ordered]) + "\n"
    RESULTS.write_text(text)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50, help="how often a command is killed")
    parser.add_argument("--at-once", type=int, default=1, help="commands that run side by side")
    parser.add_argument("--only", nargs="*", default=NAMES, help="names of commands")
    arguments = parser.parse_args()
    chosen = [each for each in COMMANDS if each.name in arguments.only]
    head = " " * NAME + "".join(f"{name:>10}" for name in columns(arguments.moments))
    print(machine("numpy", "pyarrow", "distributed"), "", head, sep="\n")
    wrong = []
    for line, found in table(arguments.moments, chosen, arguments.at_once):
        print(line, *found, sep="\n", flush=True)
        wrong += found
        keep({line[:NAME].strip(): line}, head)
    print("\nall held" if not wrong else "\nnot all held", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
