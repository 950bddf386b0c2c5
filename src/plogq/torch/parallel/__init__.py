"""Losses over ranks that have a part of the vocabulary each, or a part of the rows.

Nothing here changes a process: no patch, no mode, no default, no group of its own. A call is a few
collective calls of the group that it is given, and what the ranks learn of each other is kept with
that group.
"""

from plogq.torch.parallel.denominators import global_denominator
from plogq.torch.parallel.engines import ENGINES
from plogq.torch.parallel.head import linear_cross_entropy, linear_logprobs
from plogq.torch.parallel.losses import cross_entropy, logprobs

engine = ENGINES.only

__all__ = [
    "cross_entropy",
    "engine",
    "global_denominator",
    "linear_cross_entropy",
    "linear_logprobs",
    "logprobs",
]
