"""The benchmarks' ratios over time: `python benchmarks/history.py add`, `moved`, `page`.

add    reads what the benchmarks printed (`benchmarks/results/`), and adds what is new to
       `benchmarks/history.jsonl` under its date and processor; with --git it reads every version
       of those files that git has instead
moved  says which ratio moved by more than its spread since the run before on the same machine;
       the exit status is 3 if one did
page   draws `docs/history.md`
"""

import argparse
import datetime
import itertools
import json
import math
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from _drawing import drawn
from _ratios import READERS, machine, ratios

HERE = Path(__file__).parent
RESULTS, KEPT = HERE / "results", HERE / "history.jsonl"
PAGE = HERE.parent / "docs" / "history.md"

INTRODUCTION = """# The benchmarks over time

Each line is one ratio: what the other costs / what plogq costs, so that above 1 plogq is cheaper.
From left to right are its runs on one machine, evenly apart, and the last is the number beside it.
A full dot: it moved by more than its spread since the run before. The axis is logarithmic, and its
grey line is 1.

`benchmarks/history.jsonl` has the numbers, by date and processor; `make history` adds what
`make bench` printed, draws this page, and says which ratio moved (exit status 3 if one did).
Processors of one name differ, and some runs had neighbours: both sides of a ratio are of the same
minutes, which is why ratios are kept, and not times."""

SPREADS = 3  # a ratio moved if it changed by more than so many times its spread
UNKNOWN_SPREAD = 0.10  # of the logarithm, where too few runs are known to say
LEAST_SPREAD = 0.02  # two runs that happen to agree do not promise that the next will


class Run(NamedTuple):
    """One run of one benchmark on one machine."""

    date: str  # YYYY-MM-DD HH:MM in UTC; of the commit, where git was read
    processor: str
    cores: str
    threads: str
    benchmark: str
    ratios: dict[str, float]

    def machine(self) -> tuple[str, str, str]:
        """Return what must be the same for two runs to be compared."""
        return self.processor, self.cores, self.threads


class Change(NamedTuple):
    """A ratio in two runs, and how far it may be expected to change."""

    benchmark: str
    machine: tuple[str, str, str]
    name: str
    before: float
    after: float
    spread: float  # of the logarithm

    def moved(self) -> bool:
        """Tell whether the ratio changed by more than its spread explains."""
        return abs(math.log(self.after / self.before)) > SPREADS * self.spread

    def __str__(self) -> str:
        change = self.after / self.before - 1
        usual = math.expm1(math.copysign(SPREADS * self.spread, change))
        return (
            f"{self.benchmark}: {self.name}: {self.before:.2f} -> {self.after:.2f} "
            f"({change:+.0%}, its spread explains {usual:+.0%})"
        )


def read(text: str, date: str, benchmark: str) -> Run:
    """Read a run from what a benchmark printed."""
    rounded = {name: float(f"{value:.4g}") for name, value in ratios(benchmark, text).items()}
    return Run(date, **machine(text), benchmark=benchmark, ratios=rounded)


def kept(path: Path) -> list[Run]:
    """Return the runs that were kept, oldest first."""
    if not path.exists():
        return []
    return sorted(Run(**json.loads(line)) for line in path.read_text().splitlines())


def with_new(runs: Iterable[Run], new: Iterable[Run]) -> list[Run]:
    """Add runs to those that are kept, but for those whose ratios are there already."""
    out = list(runs)
    known = {(run.benchmark, *run.machine(), json.dumps(run.ratios)) for run in out}
    for run in sorted(new, key=lambda run: run.date):
        same = (run.benchmark, *run.machine(), json.dumps(run.ratios))
        if run.ratios and same not in known:
            known.add(same)
            out.append(run)
    return sorted(out, key=lambda run: (run.date, run.benchmark))


def write(path: Path, runs: Iterable[Run]) -> None:
    """Write the runs, a line each, by way of a file beside it, so that none is half written."""
    lines = [json.dumps(run._asdict(), ensure_ascii=False) + "\n" for run in runs]
    beside = path.with_name(path.name + ".part")
    beside.write_text("".join(lines))
    beside.replace(path)


def printed(folder: Path, date: str) -> Iterator[Run]:
    """Yield the runs whose results lie in a folder."""
    for file in sorted(folder.glob("*.txt")):
        if file.stem in READERS:
            yield read(file.read_text(), date, file.stem)


def from_git(folder: Path) -> Iterator[Run]:
    """Yield each run that git has a version of, oldest first."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    for file in sorted(folder.glob("*.txt")):
        if file.stem not in READERS:
            continue
        log = git("log", "--follow", "--format=%ct %H", "--name-only", "--", file.name)
        entries = [line for line in log.splitlines() if line]
        for entry, path in zip(entries[::2], entries[1::2], strict=True):
            seconds, commit = entry.split()
            when = datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
            yield read(git("show", f"{commit}:{path}"), when.strftime("%Y-%m-%d %H:%M"), file.stem)


def series(runs: Iterable[Run]) -> dict[tuple[str, tuple[str, str, str]], list[Run]]:
    """Return the runs of each benchmark on each machine, oldest first."""
    out = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.date):
        out[run.benchmark, run.machine()].append(run)
    return dict(out)


def spread(runs: list[Run], name: str) -> float:
    """Return by how much the logarithm of a ratio usually changes from run to run.

    That is 1.4826 times the median change, by which a few true changes are outvoted: of the ratio
    itself if it was in four runs or more, and otherwise of all ratios of the benchmark.
    """
    own, all_of_them = [], []
    for a, b in itertools.pairwise(runs):
        changes = {n: abs(math.log(b.ratios[n] / v)) for n, v in a.ratios.items() if n in b.ratios}
        own += [changes[name]] if name in changes else []
        all_of_them += changes.values()
    changes = own if len(own) >= 3 else all_of_them
    if not changes:
        return UNKNOWN_SPREAD
    return max(LEAST_SPREAD, 1.4826 * statistics.median(changes))


def changes(runs: Iterable[Run]) -> Iterator[Change]:
    """Yield each ratio of the last run of a benchmark on a machine, beside the run before it.

    The spread is of the runs before the last one: what is asked of that one is not its own judge.
    """
    for (benchmark, where), of_one in series(runs).items():
        if len(of_one) < 2:
            continue
        *_, before, last = of_one
        for name, value in last.ratios.items():
            if name in before.ratios:
                usual = spread(of_one[:-1], name)
                yield Change(benchmark, where, name, before.ratios[name], value, usual)


def page(runs: list[Run]) -> dict[str, str]:
    """Return the page and its pictures, by their names beside the page."""
    out, lines = {}, [INTRODUCTION]
    moved = {(c.benchmark, c.machine, c.name) for c in changes(runs) if c.moved()}
    for (benchmark, where), of_one in sorted(series(runs).items()):
        processor, cores, threads = where
        name = re.sub(r"\W+", "-", " ".join([benchmark, *where]))
        title = f"{benchmark}, {processor}, {cores} cores, OMP_NUM_THREADS {threads}"
        dates = [run.date for run in of_one]
        lines += ["", f"## {title}", "", f"![{title}: {len(dates)} runs](history/{name}.svg)", ""]
        lines += [f"Runs: {', '.join(dates)} UTC."]
        names = dict.fromkeys(n for run in of_one for n in run.ratios if n in of_one[-1].ratios)
        values = {n: [run.ratios.get(n) for run in of_one] for n in names}
        last_moved = {n for n in names if (benchmark, where, n) in moved}
        out[f"history/{name}.svg"] = drawn(title, values, last_moved)
    out["history.md"] = "\n".join(lines) + "\n"
    return out


def write_page(target: Path, runs: list[Run]) -> None:
    """Write the page and its pictures, and take away pictures that it no longer shows."""
    made = page(runs)
    folder = target.parent / "history"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        if f"history/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        (target.parent / name).write_text(text)


def main(words: list[str] | None = None) -> int:
    """Do what is asked; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["add", "moved", "page"])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of what was printed")
    parser.add_argument("--history", type=Path, default=KEPT, help="the file that is kept")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page that is drawn")
    parser.add_argument("--date", help="of the runs, YYYY-MM-DD HH:MM; without it now, in UTC")
    parser.add_argument("--git", action="store_true", help="every version that git has")
    asked = parser.parse_args(words)
    runs = kept(asked.history)
    if asked.what == "add":
        date = asked.date or datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")
        new = from_git(asked.results) if asked.git else printed(asked.results, date)
        after = with_new(runs, new)
        write(asked.history, after)
        print(f"{len(after) - len(runs)} runs added, {len(after)} kept")
    elif asked.what == "page":
        write_page(asked.page, runs)
        print(asked.page)
    else:
        found = list(changes(runs))
        moved = [change for change in found if change.moved()]
        for change in moved:
            print(change)
        print(f"{len(moved)} of {len(found)} ratios moved by more than their spread")
        return 3 if moved else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
