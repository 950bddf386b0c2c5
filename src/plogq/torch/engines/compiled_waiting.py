"""Gradients that were computed with their loss, and wait for the backward of a compiled graph.

A graph saves tensors between its forward and its backward. It may save the output of an operator,
but a backward must return a tensor of its own. So the graph saves a token, a tensor of one number,
and the gradient waits here under that number until the backward takes it away.

What waits may also be that of which a gradient is asked: a head's loss, with its own graph.

No result depends on this: a gradient that is no longer here is computed again. A gradient waits
only as long as its token lives: without a backward, the graph frees the token with all it saved.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np
import torch
from torch import Tensor

# {number: (gradient, weak reference to the token's memory)}. One call of a dict is atomic.
_waiting: dict[int, tuple[Any, weakref.ref[object]]] = {}
_numbers = itertools.count(1)


def leave(gradient: Any) -> Tensor:
    """Let a gradient wait, and give its token.

    A copy of the token has the same number, and serves as long as the token itself lives.
    """
    number = next(_numbers)
    memory = np.array(number)  # the token's memory, which dies with the last tensor of it

    def forget(_: object) -> None:
        _waiting.pop(number, None)

    _waiting[number] = gradient, weakref.ref(memory, forget)
    return torch.from_numpy(memory)


def nothing() -> Tensor:
    """Give a token without a gradient."""
    return torch.zeros((), dtype=torch.int64)


def take(token: Tensor) -> Any:
    """Give the gradient of a token to the caller, who alone has it then; None if it is gone."""
    found = _waiting.pop(int(token), None)
    return None if found is None else found[0]


def how_many() -> int:
    """Count the gradients that wait."""
    return len(_waiting)
