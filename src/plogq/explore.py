"""The explorer's pages inside a notebook: the public name of `plogq.notebook`."""

from plogq.notebook import *  # noqa: F403 (its __all__ is the list of pages)
from plogq.notebook import __all__ as __all__
