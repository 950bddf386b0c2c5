"""A score in words: for each section of a report, what was found, what it means, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plogq.formulas.units import plural
from plogq.reports.findings.calibration import (
    RecalibrationFinding,
    TemperatureFinding,
    recalibration,
    reliability,
    temperature,
)
from plogq.reports.findings.classes import classes, confusion
from plogq.reports.findings.figures import CodeFinding, FiguresFinding, code, figures
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.headline import Headline, headline
from plogq.reports.findings.loss import LossFinding, loss
from plogq.reports.findings.measures import measures
from plogq.reports.findings.rows import (
    SliceFinding,
    SurprisesFinding,
    pointwise,
    slices,
    surprisal,
    surprises,
)
from plogq.score.result import Result


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The words of a report; a section is None where the score has nothing for it.

    Terminal, page and notebook show these words, and none of their own.
    """

    units: str
    """The name of several units, such as "bits"."""
    headline: Headline
    loss: LossFinding
    temperature: TemperatureFinding | None
    reliability: Finding | None
    recalibration: RecalibrationFinding | None
    classes: Finding | None
    confusion: Finding | None
    surprisal: Finding | None
    pointwise: Finding | None
    surprises: SurprisesFinding | None
    slices: tuple[SliceFinding, ...]
    code: CodeFinding | None
    figures: FiguresFinding
    measures: FiguresFinding | None

    def sections(self) -> Iterator[Finding]:
        """Return the findings that there are, in the order of the page."""
        for value in vars(self).values():
            found = value if isinstance(value, tuple) else (value,)
            yield from (each for each in found if isinstance(each, Finding))


def findings(r: Result) -> Findings:
    """Return the words of each section of the report."""
    return Findings(
        units=plural(r.unit),
        headline=headline(r),
        loss=loss(r),
        temperature=temperature(r),
        reliability=reliability(r),
        recalibration=recalibration(r),
        classes=classes(r),
        confusion=confusion(r),
        surprisal=surprisal(r),
        pointwise=pointwise(r),
        surprises=surprises(r),
        slices=slices(r),
        code=code(r),
        figures=figures(r),
        measures=measures(r),
    )
