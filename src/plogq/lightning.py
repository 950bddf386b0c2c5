"""Lightning: a callback that scores the validation set of each epoch."""

from plogq.adapters.lightning import *  # noqa: F403 (its __all__ is the list of names)
from plogq.adapters.lightning import __all__ as __all__
