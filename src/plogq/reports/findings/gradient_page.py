"""The page of a gradient by layer: one picture and its table."""

from __future__ import annotations

import math

from plogq.doctor.runtime.gradient_flow import GradientFlow
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.headline import Answer, Headline
from plogq.reports.findings.page import Column, Dot, Dots, Page, Section
from plogq.reports.findings.words import plain
from plogq.reports.numbers import count

COLUMNS = (
    Column("name", "layer", "name"), Column("class", "class", "words"),
    Column("parameters", "parameters", "count"), Column("weight", "weight rms"),
    Column("gradient", "gradient rms"), Column("zero", "zero", "percent"),
)  # fmt: skip


def page(flow: GradientFlow) -> Page:
    """Return the report of a gradient by layer."""
    rows = tuple(
        {
            "name": plain(each.name or "the model"), "class": plain(each.kind),
            "parameters": each.parameters, "weight": each.weight, "gradient": each.gradient,
            "zero": each.zero,
        }
        for each in flow.layers
    )  # fmt: skip
    dots = tuple(
        Dot(str(row["name"]), math.log10(gradient))
        for row in rows
        if isinstance(gradient := row["gradient"], float) and 0 < gradient < math.inf
    )
    words = Finding("The gradient of the loss by layer", "In the order of the model.")
    picture = Dots("log₁₀ of the gradient's root mean square", dots) if dots else None
    section = Section("layers", "Layers", words, COLUMNS, rows, picture)
    first = Headline(
        title=f"The gradient of the loss in {count(len(rows), 'layer')}", read="",
        answers=_answers(flow), warnings=(),
    )  # fmt: skip
    return Page("gradient_flow", "", first, (section,), json="to_json()")


def _answers(flow: GradientFlow) -> tuple[Answer, ...]:
    known = [each for each in flow.layers if 0 < each.gradient < math.inf]
    if not known:
        return ()
    ends = {
        "The least": min(known, key=lambda each: each.gradient),
        "The largest": max(known, key=lambda each: each.gradient),
    }
    return tuple(
        Answer(what, plain(f"{each.gradient:.2g} at {each.name or 'the model'} ({each.kind})."))
        for what, each in ends.items()
    )
