"""What a score says, in words: for each picture its finding, what that means, and what to do."""

from __future__ import annotations

from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.calibration import recalibration, reliability, temperature
from plogq.reports.findings.classes import classes, confusion
from plogq.reports.findings.figures import code, figures
from plogq.reports.findings.loss import headline, loss
from plogq.reports.findings.rows import pointwise, slices, surprisal, surprises, warnings

Words = dict[str, Any]

SECTIONS = {
    "loss": loss,
    "temperature": temperature,
    "reliability": reliability,
    "recalibration": recalibration,
    "classes": classes,
    "confusion": confusion,
    "surprisal": surprisal,
    "pointwise": pointwise,
    "surprises": surprises,
    "slices": slices,
    "code": code,
    "figures": figures,
}


def findings(document: Document) -> Words:
    """Give the words of each section of the report; None where the score has nothing for it.

    The front end draws the sections that have words, and computes nothing itself.
    """
    words: Words = {"headline": headline(document), "warnings": warnings(document)}
    return words | {name: section(document) for name, section in SECTIONS.items()}
