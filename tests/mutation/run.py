"""`make mutants`: change the code in many small ways, and count the changes that a test sees.

With names of parts only those are tried, and with --survivors only what survived the last time.
Results are kept in build/mutants/, a file for each part; the table is printed from them.
"""

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.mutation import reach, sample, tree, trial

HERE = Path(__file__).parent
KEPT = tree.ROOT / "build" / "mutants"
CAUGHT = {"killed"}  # one that ran out of its time may have been slowed by others


def main() -> None:
    """Try the mutants of the parts, and print how many were caught."""
    config = tomllib.loads((HERE / "config.toml").read_text())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *config["parts"]])
    parser.add_argument("--survivors", action="store_true", help="only those of the last time")
    parser.add_argument("--table", action="store_true", help="only print, from what is kept")
    parser.add_argument("--recorded", action="store_true", help="record new tests only")
    parser.add_argument("--shard", default="0/1", help="only every n-th of them: 0/2, 1/2")
    asked = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    for part in [] if asked.table else asked.parts or config["parts"]:
        # Each part in a process of its own: what one imported does not serve the other.
        log = KEPT / f"{label(part, asked)}.log"
        status, _ = trial.in_fork(partial(try_part, part, config, asked), 10**6, log)
        if status:
            sys.exit(f"{part}: stopped with {status}: see {log}")
    print("\n".join(table(list(config["parts"]))))


def label(part: str, asked: argparse.Namespace) -> str:
    """Name what is kept of a part, or of a share of its mutants."""
    first, of = asked.shard.split("/")
    return part if of == "1" else f"{part}.{first}"


def try_part(name: str, config: dict[str, Any], asked: argparse.Namespace) -> int:
    """Collect the tests of one part, then try its mutants; keep how each ended."""
    sys.stdout.reconfigure(line_buffering=True)
    copy = tree.copied(label(name, asked))
    tree.enter(copy)
    part = Part(name, config, asked, copy)
    tests = config["parts"][name]["tests"]
    pytest.main([*tests, *reach.QUIET, "-s", "--continue-on-collection-errors"], plugins=[part])
    return part.status


class Part:
    """A plugin of pytest that, in the place of running tests once, runs them for each mutant."""

    def __init__(
        self, name: str, config: dict[str, Any], asked: argparse.Namespace, copy: Path
    ) -> None:
        self.name, self.config, self.asked, self.copy = name, config, asked, copy
        self.label = label(name, asked)
        self.own = config["parts"][name]
        self.status = 1

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        begin = time.monotonic()
        recorded = KEPT / f"{self.label}.reach.json"
        if not self.asked.recorded:
            recorded.unlink(missing_ok=True)
        known = set(reach.Reach(recorded).seconds) if recorded.exists() else set()
        new = [item for item in session.items if item.nodeid not in known]
        if new:
            recording = partial(reach.record, self.own["source"], new, recorded)
            trial.in_fork(lambda: recording() or 0, 3600, recorded.with_suffix(".log"))
        self.known = reach.Reach(recorded)
        self.tried = trial.Tried(self.copy, session, self.config["limit_seconds"])
        self.known.failed |= set(self.known.seconds) - set(self.tried.items)
        print(f"{self.name}: {len(self.known.seconds)} tests, {time.monotonic() - begin:.0f} s")
        if self.known.failed:
            print("left out, for they fail as it is:", *sorted(self.known.failed))
        self.prove()
        self.try_all()
        print(f"{self.name}: {time.monotonic() - begin:.0f} s")
        self.status = 0
        return True

    def drawn(self) -> Iterator[sample.Mutant]:
        """Yield the part's mutants, in the order of the seed."""
        left_out, seed = self.config["left_out"], self.config["seed"]
        return sample.drawn(self.copy, self.own["source"], left_out, seed)

    def try_all(self) -> None:
        """Try the mutants, or with --survivors those that survived, and keep what is found."""
        first, of = map(int, self.asked.shard.split("/"))
        kept = KEPT / f"{self.label}.json"
        old = json.loads(kept.read_text()) if kept.exists() and self.asked.survivors else []
        caught = {tuple(row["key"]): row for row in old if row["outcome"] in CAUGHT}
        results: list[dict[str, Any]] = []
        for number, mutant in enumerate(self.drawn()):
            if number % of != first:
                continue
            if len(results) * of >= self.own["mutants"]:
                break
            if mutant.key() in caught:
                results.append(caught[mutant.key()])
                continue
            outcome = self.try_one(mutant)
            if outcome.word == "no module":
                continue
            row = mutant._asdict() | {"key": mutant.key(), "outcome": outcome.word}
            row |= {"by": outcome.by, "tests": outcome.tests, "seconds": round(outcome.seconds, 1)}
            results.append(row)
            by = outcome.by.rpartition("/")[2] or f"{outcome.tests} tests"
            print(f"{len(results):4} {outcome.word:9} {outcome.seconds:5.1f} s  {by}")
            print(f"     {mutant.file}:{mutant.line}\n    - {mutant.before}\n    + {mutant.after}")
            kept.write_text(json.dumps(results, indent=0))

    def try_one(self, mutant: sample.Mutant) -> trial.Outcome:
        """Make the mutant, choose its tests, and run them."""
        code = (self.copy / mutant.file).read_text()
        limit = self.config["tests_seconds"]
        tests, reached = self.known.tests(mutant.file, code, mutant.line, limit)
        changed = sample.mutated(code, mutant.operator, mutant.occurrence)
        try:
            compile(changed, mutant.file, "exec")
        except SyntaxError:
            return trial.Outcome("no module")
        if not tests:
            return trial.Outcome("unreached")
        outcome = self.tried.inside(mutant.file, changed, tests) if reached else None
        return outcome or self.tried.by_import(mutant.file, changed, tests)

    def prove(self) -> None:
        """Show in both ways that unchanged code passes, and that it fails returning nothing."""
        lines = self.known.lines
        file = max(lines, key=lambda f: sum(map(len, lines[f].values())))
        code = (self.copy / file).read_text()
        line = max(lines[file], key=lambda n: len(lines[file][n]))
        tests, _ = self.known.tests(file, code, int(line), self.config["tests_seconds"])
        broken = code.replace("    return ", "    return None and ")
        inside = self.tried.inside(file, broken, tests)
        assert inside is not None, f"{file} that returns nothing: its functions are not found"
        assert inside.word == "killed", f"{file} that returns nothing, exchanged: {inside}"
        by_import = self.tried.by_import(file, broken, [inside.by])
        assert by_import.word in ("killed", "no module"), f"{file} returns nothing: {by_import}"
        same = self.tried.by_import(file, code + "\n", [inside.by])
        assert same.word == "survived", f"unchanged {file}: {same}"
        print(f"unchanged {file} passes; returning nothing it fails {inside.by}")


def table(parts: list[str]) -> list[str]:
    """Return the lines of the result: a part in each."""
    explained = tomllib.loads((HERE / "equivalent.toml").read_text()).get("mutant", [])
    equivalent = {(row["file"], row["before"], row["after"]) for row in explained}
    lines = [f"{'':10}{'mutants':>9}{'equivalent':>12}{'caught':>8}{'left':>6}{'rate':>8}"]
    for part in parts:
        shares = list(KEPT.glob(f"{part}.[0-9].json")) or [*KEPT.glob(f"{part}.json")]
        found = [row for file in shares for row in json.loads(file.read_text())]
        rows = {tuple(row["key"]): row["outcome"] for row in found}
        if not rows:
            continue
        caught = sum(
            word == "killed" or (word in CAUGHT and key not in equivalent)
            for key, word in rows.items()
        )
        same = sum(word != "killed" and key in equivalent for key, word in rows.items())
        rate = caught / (len(rows) - same)
        figures = f"{len(rows):9}{same:12}{caught:8}{len(rows) - same - caught:6}{rate:8.1%}"
        lines.append(f"{part:10}{figures}")
    return lines


if __name__ == "__main__":
    main()
