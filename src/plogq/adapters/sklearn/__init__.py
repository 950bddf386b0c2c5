"""scikit-learn: a classifier that recalibrates another one, and scorers."""

from plogq.extras import needed_by

with needed_by("plogq.sklearn"):
    import sklearn as _sklearn  # noqa: F401

from plogq.adapters.sklearn.classifier import RecalibratedClassifier
from plogq.adapters.sklearn.scorers import scorers

__all__ = ["RecalibratedClassifier", "scorers"]
