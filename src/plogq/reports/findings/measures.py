"""The words on what other reports show: each measure, and when it misleads."""

from __future__ import annotations

from collections.abc import Iterator

from plogq.reports.findings.figures import Figure, FiguresFinding
from plogq.reports.numbers import figure, percent, rows
from plogq.score.parts import Measures
from plogq.score.result import Result

# By field of the measures: its name in a report, and its meaning.
MEASURES = {
    "ece": ("ECE, equal width", "|confidence − accuracy| in 15 bins"),
    "ece_equal_mass": ("ECE, equal mass", "in 15 bins of as many rows"),
    "smooth_ece": ("smooth ECE", "without bins"),
    "classwise_ece": ("classwise ECE", "of each class's probability"),
    "brier_reliability": ("Brier: reliability", "probabilities off the frequencies"),
    "brier_resolution": ("Brier: resolution", "frequencies that differ by bin"),
    "brier_uncertainty": ("Brier: uncertainty", "of the classes' frequencies"),
    "brier_within": ("Brier: within bins", "what the bins hide"),
    "auc": ("AUC", "each class against the rest"),
    "auc_weighted": ("AUC, weighted", "by the classes' frequencies"),
    "selective_risk": ("risk–coverage area", "mean error of the most confident"),
}
# By a field that must be known: when it misleads.
MISLEADS = {
    "ece": "ECE changes with its bins, so there are two, and chance alone makes it {chance} for "
    "calibrated predictions of as many rows: rank no models by it.",
    "smooth_ece": "Smooth ECE has no bins, but as ECE it looks at the top class alone.",
    "classwise_ece": "Classwise ECE is small wherever classes are many, since most probabilities "
    "are near 0.",
    "brier_reliability": "Murphy's parts change with the bins, and where bins have few rows both "
    "reliability and resolution are too high.",
    "auc": "AUC looks at order alone: it may be 1 where every probability is wrong, and high for a "
    "rare class that is seldom found.",
    "top_accuracy": "Top-k accuracy does not see how sure the model is, and of equal probabilities "
    "takes the first classes.",
    "selective_risk": "The risk–coverage area falls with the error rate itself: compare models "
    "that are as accurate.",
}


def measures(r: Result) -> FiguresFinding | None:
    """Return every other measure with its interval, and when each misleads."""
    found = r.measures
    if found is None:
        return None
    text = " ".join(said for key, said in MISLEADS.items() if getattr(found, key) not in (None, {}))
    if found.rows < r.rows:
        text += f" All are of a sample of {rows(found.rows)}, which their intervals allow for."
    return FiguresFinding(
        "Other measures of the same predictions",
        text.format(chance=figure(found.ece_of_chance)),
        None,
        tuple(_each(found)),
    )


def _each(found: Measures) -> Iterator[Figure]:
    """Return the measures that are known."""
    for key, (name, meaning) in MEASURES.items():
        if (value := getattr(found, key)) is not None:
            yield Figure(name, value, "", meaning, found.intervals.get(key))
    for key, value in found.top_accuracy.items():
        k = key.removeprefix("top_")
        meaning = f"the label is among the first {k}"
        yield Figure(f"top-{k} accuracy", value, "", meaning, found.intervals.get(key), "percent")
    for coverage, accuracy in found.selective[:-1]:
        meaning = f"of the most confident {percent(coverage)}"
        yield Figure("selective accuracy", accuracy, "", meaning, None, "percent")
