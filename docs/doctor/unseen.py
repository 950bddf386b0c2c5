"""What the doctor found in trainings that its checks were not made by: a part of `precision.md`."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.doctor.corpus import measure
from tests.doctor.corpus.unseen.reasons import REASONS

_UNSEEN = Path(measure.__file__).parent / "unseen"
PUBLIC = {
    "The example trainings of public projects": _UNSEEN / "public.json",
    "Those of other projects, after the checks had been mended": _UNSEEN / "public_second.json",
}
FIRST, SECOND, THIRD = (
    """\
Someone wrote these in the style of public projects who had read what `watch` is for, and none of
its checks; what each is to show was committed before the doctor was tried on any. No check was made
or changed by them before this run.
""",
    """\
The same author wrote these after the checks had been changed by the first batch and by the public
trainings below, and so had read the checks by then. No check was changed by them before this run.
""",
    """\
Another author wrote these after the checks had been mended, and had read none of the checks, but
this page, and a few cases of the other batches for their style. What each is to show was committed
before the doctor was tried on any. Three that ended with an error of their own, before their first
update, were run again when that was mended.
""",
)
NOW = """\
The checks were changed by all batches, and so these figures are of unseen trainings no more.
"""


def record() -> None:
    """Write down what is found in each unseen training now."""
    lines = [
        f'  "{case.name}": {json.dumps(sorted(measure.found_in_trainings(case)))}'
        for case in measure.UNSEEN
    ]
    measure.NOW.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def section(table: Callable[..., str]) -> str:
    """Return the section; `table` makes the table of cases and what was found in them."""
    first, second, third = (measure.recorded(path) for path in measure.FIRST_RUNS)
    return "\n".join([
        "## Trainings that were not used to set a threshold\n",
        "These stand in `tests/doctor/corpus/unseen/`, with every finding of each run. What is "
        "found now is kept beside them by `tests/doctor/test_unseen.py`.\n",
        table("The first run of the first batch", first, FIRST, 3),
        _reasons(first),
        table("The first run of the second batch", second, SECOND, 3),
        _reasons(second),
        table("The first run of the third batch", third, THIRD, 3),
        _reasons(third),
        table("All batches now", measure.recorded(measure.NOW), NOW, 3),
        *(_public(title, path) for title, path in PUBLIC.items()),
    ])  # fmt: skip


def _reasons(first: list[measure.Found]) -> str:
    """Return each thing that was wrong or missed, and why."""
    now = {case.name: found for case, found in measure.recorded(measure.NOW)}
    lines = ["| training | check | first | why | now |", "| --- | --- | --- | --- | --- |"]
    for case, found in first:
        for kind, codes in (
            ("wrong", found - case.codes - case.also), ("missed", case.codes - found),
        ):  # fmt: skip
            for code in sorted(codes):
                same = (code in now[case.name]) == (kind == "wrong")
                after = kind if same else "right"
                why = REASONS[case.name, code]
                lines.append(f"| `{case.name}` | {code} | {kind} | {why} | {after} |")
    return "\n".join(lines) + "\n"


def _public(title: str, path: Path) -> str:
    """Return what was found in the example trainings of public projects."""
    given = json.loads(path.read_text())
    runs = given["runs"]
    found = [(run, each) for run in runs for each in run["findings"]]
    counts = {
        when: [sum(each["true"] == true for _, each in found if each[when]) for true in (1, 0)]
        for when in ("first", "now")
    }
    quiet = [run["training"] for run in runs if not run["findings"]]
    lines = [
        f"### {title}\n",
        f"{len(runs)} trainings of {len(given['projects'])} projects, each for its first 60 "
        "updates or a minute of one core. The code is theirs, but for a line that watches, smaller "
        "sizes where a processor needs them, and small data in place of what is downloaded "
        "(scikit-learn's digits, noise, the projects' own READMEs). The checks had not been "
        "changed by any of them before the first run, which had "
        f"{counts['first'][0]} true findings and {counts['first'][1]} false ones; now it is "
        f"{counts['now'][0]} and {counts['now'][1]}.\n",
        "| project | commit |\n| --- | --- |",
        *(f"| {name} | {commit} |" for name, commit in given["projects"].items()),
        "\n| training | check | | why | first | now |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for run, each in found:
        says = ["found" if each[when] else "–" for when in ("first", "now")]
        lines.append(
            f"| {run['training']} | {each['code']} | {'true' if each['true'] else 'false'} "
            f"| {each['why']} | {says[0]} | {says[1]} |"
        )
    lines.append(f"\nNothing was found in: {', '.join(quiet)}.\n")
    lines.append(f"{given['left_out']}\n")
    return "\n".join(lines)
