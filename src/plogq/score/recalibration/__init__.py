"""How much cross-entropy a recalibration, learnt on a sample, would save.

A file for each family: it is fitted to rows, and says what others then cost. `cross_fit` fits each
to all folds but one and judges it by that one.
"""

from plogq.score.recalibration.cross_fit import Family, choose_families, cross_fit
from plogq.score.recalibration.labelled_rows import LabelledRows, log_softmax

__all__ = ["Family", "LabelledRows", "choose_families", "cross_fit", "log_softmax"]
