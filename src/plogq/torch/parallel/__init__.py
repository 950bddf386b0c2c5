"""Losses over ranks: each has a part of the vocabulary, or a part of the rows."""

from plogq.torch.parallel.engines import ENGINES
from plogq.torch.parallel.losses import cross_entropy, logprobs

engine = ENGINES.only

__all__ = ["cross_entropy", "engine", "logprobs"]
