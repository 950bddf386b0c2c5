"""The first screen: how good, against what, what to do, how sure; and how the file was read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plogq.errors import printable
from plogq.formulas.units import plural
from plogq.reports.findings.finding import QUESTIONS
from plogq.reports.findings.source import and_more
from plogq.reports.findings.words import file_name, name, sentence, short
from plogq.reports.numbers import amount, count, figure, percent, rows, span
from plogq.reports.verdict import what_to_do
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

NAMED_CLASSES = 4
LONGEST_CLASS = 12


@dataclass(frozen=True)
class Answer:
    """A question that everyone has, and its answer in sentences."""

    question: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The first screen of a report."""

    title: str
    read: str
    """How the file was read."""
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]


def headline(r: Result) -> Headline:
    """Return the answers in the order that they are asked in."""
    return Headline(
        title=_title(r),
        read=_read(r),
        answers=tuple(
            map(Answer, QUESTIONS, (_how_good(r), _against_what(r), what_to_do(r), _how_sure(r)))
        ),
        warnings=tuple(
            f"{sentence(printable(each.message))[:-1]} ({rows(each.rows)})." for each in r.warnings
        ),
    )


def per_row(r: Result) -> str:
    """Return the unit of a cost, such as "bits per row"."""
    return f"{plural(r.unit)} per row"


def _title(r: Result) -> str:
    if math.isinf(r.cross_entropy):
        return f"Infinite: {rows(r.zero_probability_rows)} had a label of probability 0"
    return f"{figure(r.cross_entropy)} {per_row(r)}"


def _read(r: Result) -> str:
    paths = r.source.paths
    names = ", ".join(short(each, LONGEST_CLASS) for each in r.classes[:NAMED_CLASSES])
    names += ", …" if len(r.classes) > NAMED_CLASSES else ""
    columns = ", ".join(
        f"{what} {short(column if isinstance(column, str) else ', '.join(column))}"
        for what, column in r.source.columns.items()
    )
    classes = count(len(r.classes), "class", "classes")
    said = (
        f"{name(file_name(paths[0]))}{and_more(len(paths))}: {rows(r.rows)}, {classes} ({names}), "
    )
    said += f"read as {short(r.kind)}"
    said += f" ({columns})." if columns else "."
    return " ".join([said, *map(printable, r.source.notes)])


def _how_good(r: Result) -> str:
    ends = r.intervals.get("cross_entropy")
    between = f", {PERCENT} interval {span(ends)}" if ends else ""
    text = f"A label costs {amount(r.cross_entropy, r.unit)} per row{between}."
    if math.isinf(r.cross_entropy):
        text = f"{_title(r)}."
        if r.cross_entropy_finite is not None:
            text += f" Over all others a label costs {amount(r.cross_entropy_finite, r.unit)}."
    if r.floor is not None:
        text += (
            f" With no probability below {figure(r.floor.p)} it would be "
            f"{amount(r.floor.cross_entropy, r.unit)}."
        )
    return text


def _against_what(r: Result) -> str:
    if r.label_entropy == 0:
        return "All labels are alike: with no model they would cost nothing."
    text = f"With no model a label costs {amount(r.label_entropy, r.unit)}, the label entropy"
    if math.isinf(r.cross_entropy):
        return f"{text}."
    if r.information_gain < 0:
        return f"{text}: the model costs {amount(-r.information_gain, r.unit)} more."
    return f"{text}: the model saves {percent(r.information_gain / r.label_entropy)} of it."


def _how_sure(r: Result) -> str:
    what = "groups of rows" if "group" in r.source.columns else "rows"
    by = f"the intervals come from resampling the {what}" if r.intervals else "there is no interval"
    minded = len(r.warnings)
    mind = f"; mind {count(minded, 'warning')}" if minded else ""
    return f"By {rows(r.rows)}: {by}{mind}."
