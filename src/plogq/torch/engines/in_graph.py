"""What is logged while torch.compile makes a graph, since the graph itself cannot log.

Imported only while a graph is made: the decorator imports torch's compiler, which takes longer than
all of torch, and ends the process where TensorFlow was loaded before Triton.
"""

from __future__ import annotations

import logging

import torch

_LOG = logging.getLogger("plogq.torch")


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def say_all_logits(reason: str) -> None:
    """Log that all logits of a head are built, and why."""
    _LOG.info("inside torch.compile, all logits of a head are built (%s)", reason)
