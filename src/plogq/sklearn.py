"""scikit-learn: a classifier that recalibrates another one, and scorers."""

from plogq.adapters.sklearn import *  # noqa: F403 (its __all__ is the list of names)
from plogq.adapters.sklearn import __all__ as __all__
