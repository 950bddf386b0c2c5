"""torchmetrics: cross-entropy, information gain and the whole score as metrics."""

from plogq.adapters.torchmetrics import *  # noqa: F403 (its __all__ is the list of names)
from plogq.adapters.torchmetrics import __all__ as __all__
