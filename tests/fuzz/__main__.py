"""Millions of damaged inputs for every reader: `make fuzz N=1000000`, or `python -m tests.fuzz`.

Each input is made from the name of its target and its number, so that a run that was stopped goes
on where it was (build/fuzz/state.json), and a fault can be seen again:
`python -m tests.fuzz --only csv --from 1272 --n 1`. An input that ends the process, or hangs it for
20 seconds, is a fault as well. What was found lies in build/fuzz/found/; the exit status is 1 then.
"""

import argparse
import faulthandler
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "fuzz"
CORPUS = Path(__file__).parent / "corpus" / "native"
HANGS = 20  # seconds
AT_ONCE = 2000  # inputs of one process
NATIVE_AT_ONCE = 100_000
NATIVE = "native code"  # words, orders and rows as weights, by libFuzzer
SHARE_OF_NATIVE = 0.95  # it is a hundred times as fast as the others
FLAGS = ["-std=c++20", "-O2", "-g1", "-ffp-contract=off", "-fno-sanitize-recover=all"]


def targets() -> dict[str, Any]:
    from tests.fuzz import answers, logs, tables

    return {**tables.TARGETS, **logs.TARGETS, **answers.TARGETS}


def worker(name: str, first: int, count: int, folder: Path) -> None:
    """Try inputs; say what came of them, in one line of JSON, and of each fault in another."""
    one = targets()[name]
    warnings.simplefilter("error")
    counts: Counter[str] = Counter()
    for number in range(first, first + count):
        for old in folder.iterdir():
            old.unlink()
        print(json.dumps({"at": number}), flush=True)
        faulthandler.dump_traceback_later(HANGS, exit=True)
        try:
            counts[one(random.Random(f"{name}:{number}"), folder)] += 1
        except Exception as error:
            said = "".join(traceback.format_exception(error)[-3:])
            print(json.dumps({"fault": number, "said": said}), flush=True)
        faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"counts": counts}), flush=True)


class Run:
    """How far each target is, kept in a file."""

    def __init__(self, file: Path, total: dict[str, int]) -> None:
        self.file = file
        self.total = total
        self.state: dict[str, dict[str, Any]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )
        for name in total:
            self.state.setdefault(name, {"done": 0, "seconds": 0.0, "counts": {}, "faults": []})

    def add(self, name: str, done: int, seconds: float, counts: dict[str, int]) -> None:
        state = self.state[name]
        state["done"] += done
        state["seconds"] += seconds
        state["counts"] = dict(Counter(state["counts"]) + Counter(counts))
        self.keep()

    def fault(self, name: str, number: int, said: str, folder: Path) -> None:
        self.state[name]["faults"].append(number)
        place = BUILT / "found" / f"{re.sub('[^a-z0-9.]+', '_', name.lower())}_{number}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place)
        (place / "said.txt").write_text(said)
        print(f"\n{name}, input {number}: {said.strip().splitlines()[-1][:300]}", flush=True)

    def keep(self) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.state, indent=1))
        new.replace(self.file)


def try_some(run: Run, name: str, first: int, count: int) -> None:
    """Run a process over some inputs; where it dies, another goes on behind the input at fault."""
    last = first + count
    while first < last:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(dir=BUILT) as folder:
            command = [sys.executable, "-m", "tests.fuzz", "--worker", folder, "--only", name,
                       "--from", str(first), "--n", str(last - first)]  # fmt: skip
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            at, counts, ended = first, {}, False
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                at = said.get("at", at)
                if "fault" in said:
                    run.fault(name, said["fault"], said["said"], Path(folder))
                if "counts" in said:
                    counts, ended = said["counts"], True
            assert process.stderr is not None
            complaint = process.stderr.read()
            if process.wait() and not ended:
                run.fault(name, at, f"{complaint}\nexit status {process.returncode}", Path(folder))
        done = last - first if ended else at + 1 - first
        run.add(name, done, time.monotonic() - begin, counts)
        first += done


def build_native() -> Path:
    program = BUILT / "native_fuzz"
    compiler = os.environ.get("FUZZ_CXX", "clang++")
    command = [compiler, *FLAGS, "-fsanitize=fuzzer,address,undefined", "-I", "native",
               "tests/fuzz/native.cpp", "-o", str(program)]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True)
    return program


def try_native(run: Run, count: int) -> None:
    """Run libFuzzer over the native code; inputs that reach new code are kept and begun with."""
    program, grown = build_native(), BUILT / "grown"
    grown.mkdir(exist_ok=True)
    (BUILT / "found").mkdir(exist_ok=True)
    for left in range(count, 0, -NATIVE_AT_ONCE):
        begin, seed = time.monotonic(), run.state[NATIVE]["done"] + 1
        done = subprocess.run(
            [program, f"-runs={min(left, NATIVE_AT_ONCE)}", f"-seed={seed}", "-max_len=600",
             f"-timeout={HANGS}", f"-artifact_prefix={BUILT}/found/native_", grown, CORPUS],
            capture_output=True, text=True, check=False, errors="replace",
        )  # fmt: skip
        if done.returncode:
            print(f"\n{NATIVE}:\n{done.stderr[-3000:]}", flush=True)
            run.state[NATIVE]["faults"].append(seed)
        ran = re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
        run.add(NATIVE, int(ran[-1]) if ran else 0, time.monotonic() - begin, {})


def table(run: Run) -> str:
    lines = [f"{'target':28}{'inputs':>9}{'a second':>10}{'refused':>9}{'right':>9}"
             f"{'unchecked':>11}{'faults':>8}"]  # fmt: skip
    sums: Counter[str] = Counter()
    for name, state in run.state.items():
        counts = state["counts"]
        unchecked = sum(n for key, n in counts.items() if key.startswith("unchecked"))
        row = {"inputs": state["done"], "refused": counts.get("refused", 0),
               "right": counts.get("right", 0), "unchecked": unchecked,
               "faults": len(state["faults"])}  # fmt: skip
        sums.update(row)
        rate = state["done"] / state["seconds"] if state["seconds"] else 0
        lines.append(_line(name, row, f"{rate:,.0f}"))
    return "\n".join([*lines, _line("all", sums, "")])


def _line(name: str, row: Any, rate: str) -> str:
    return (f"{name:28}{row['inputs']:9,}{rate:>10}{row['refused']:9,}{row['right']:9,}"
            f"{row['unchecked']:11,}{row['faults']:8,}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--n", type=int, default=1_000_000, help="inputs in all")
    parser.add_argument("--only", help="one target")
    parser.add_argument("--from", dest="first", type=int, help="the number of the first input")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        worker(given.only, given.first, given.n, given.worker)
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    names = [given.only] if given.only else [NATIVE, *targets()]
    if given.only:
        total = {given.only: given.n}
    else:
        of_native = int(SHARE_OF_NATIVE * given.n)
        total = {name: -(-(given.n - of_native) // (len(names) - 1)) for name in names}
        total[NATIVE] = of_native
    file = BUILT / ("state.json" if given.first is None else "one.json")
    if given.first is not None:
        file.unlink(missing_ok=True)
    run = Run(file, total)
    jobs = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for name in names:
            done = run.state[name]["done"] if given.first is None else given.first
            last = total[name] if given.first is None else given.first + given.n
            if name == NATIVE:
                if done < last:
                    jobs.append(pool.submit(try_native, run, last - done))
                continue
            for first in range(done, last, AT_ONCE):
                count = min(AT_ONCE, last - first)
                jobs.append(pool.submit(try_some, run, name, first, count))
        while not all(job.done() for job in jobs):
            time.sleep(1)
            if sys.stderr.isatty():
                done = sum(state["done"] for name, state in run.state.items() if name in total)
                of_all = f"{done:,} of {sum(total.values()):,} inputs"
                print(f"\r{of_all}", end="", file=sys.stderr, flush=True)
    print(f"\n{table(run)}")
    for job in jobs:
        job.result()
    sys.exit(any(state["faults"] for state in run.state.values()))


if __name__ == "__main__":
    main()
