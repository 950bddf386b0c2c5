"""How much cross-entropy a recalibration, learnt on a sample, would save.

A file for each family: it is fitted to rows, and says what others then cost. `cross_fit` fits each
to all folds but one and judges it by that one.
"""

from plogq.score.recalibration.cross_fit import (
    BY_NAME,
    Family,
    check_family,
    choose_families,
    cross_fit,
)
from plogq.score.recalibration.labelled_rows import LabelledRows, log_softmax, softmax
from plogq.score.recalibration.parameters import check_parameters

__all__ = [
    "BY_NAME",
    "Family",
    "LabelledRows",
    "check_family",
    "check_parameters",
    "choose_families",
    "cross_fit",
    "log_softmax",
    "softmax",
]
