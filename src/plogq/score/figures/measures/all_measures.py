"""Every other measure of a table, from the sample of its rows."""

from __future__ import annotations

import math

from plogq.score.figures.decomposition import Recalibrations
from plogq.score.figures.measures.bins import (
    calibration_error,
    classwise_error,
    equal_mass,
    equal_width,
    murphy,
)
from plogq.score.figures.measures.estimate import Estimate
from plogq.score.figures.measures.judged_rows import JudgedRows
from plogq.score.figures.measures.ranking import areas, selective, top_accuracies
from plogq.score.figures.measures.smooth import smooth_error
from plogq.score.parts import Measures
from plogq.score.recalibration.cross_fit import MOST_CLASSES_BY_CLASS

UNBOUNDED = ("brier_reliability", "brier_resolution", "brier_uncertainty")  # above 1 by soft labels


def measures(recalibrations: Recalibrations, kind: str, *, intervals: bool) -> Measures | None:
    """Return the measures of predictions of some kind; None of a single class."""
    rows = JudgedRows.of(recalibrations, kind)
    if rows.classes < 2:
        return None
    judged = rows.confidence, rows.correct, rows.weight
    width = calibration_error(*judged, equal_width(rows.confidence))
    abstaining = selective(*judged)
    tops = top_accuracies(rows)
    found: dict[str, Estimate] = {
        "ece": width,
        "ece_equal_mass": calibration_error(*judged, equal_mass(rows.confidence, rows.weight)),
        "smooth_ece": smooth_error(*judged),
        "selective_risk": abstaining.area,
    }
    within = None
    if rows.classes <= MOST_CLASSES_BY_CLASS:
        parts = murphy(rows)
        within = parts.within
        found |= {
            "classwise_ece": classwise_error(rows),
            "brier_reliability": parts.reliability,
            "brier_resolution": parts.resolution,
            "brier_uncertainty": parts.uncertainty,
        }
        if (area := areas(rows)) is not None:
            found |= {"auc": area.plain, "auc_weighted": area.weighted}
    ends = {
        name: each.interval(rows.weight, rows.bucket, math.inf if name in UNBOUNDED else 1.0)
        for name, each in (found | tops).items()
        if intervals
    }
    return Measures(
        rows=len(rows.weight),
        **{name: each.value for name, each in found.items()},
        ece_of_chance=width.noise,
        brier_within=within,
        top_accuracy={name: each.value for name, each in tops.items()},
        selective=abstaining.points,
        intervals={name: each for name, each in ends.items() if each is not None},
    )
