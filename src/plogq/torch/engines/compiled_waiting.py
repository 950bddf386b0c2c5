"""Gradients that were computed with their loss, and wait for the backward of a compiled graph.

A graph saves tensors between its forward and its backward. An operator's own output may be saved,
but what a backward gives away must be its own: so the graph saves a token, a tensor of one number,
and the gradient waits here under that number until the backward takes it away.

Nothing depends on it: a gradient that is not here any more is computed again. It waits no longer
than its token lives: where no backward comes, the graph lets the token go with all that it saved.
"""

from __future__ import annotations

import itertools
import weakref

import numpy as np
import torch
from torch import Tensor

# By number: what waits, and the watch over its token. One call of a dict is atomic.
_waiting: dict[int, tuple[Tensor, weakref.ref[object]]] = {}
_numbers = itertools.count(1)


def leave(gradient: Tensor) -> Tensor:
    """Let a gradient wait, and give its token.

    A copy of the token stands for the gradient too, as long as the token itself lives.
    """
    number = next(_numbers)
    memory = np.array(number)  # the token's own: it dies with the last tensor that has it

    def forget(_: object) -> None:
        _waiting.pop(number, None)

    _waiting[number] = gradient, weakref.ref(memory, forget)
    return torch.from_numpy(memory)


def nothing() -> Tensor:
    """Give a token that nothing waits for."""
    return torch.zeros((), dtype=torch.int64)


def take(token: Tensor) -> Tensor | None:
    """Take the gradient of a token away: it is the caller's alone. None where it is gone."""
    found = _waiting.pop(int(token), None)
    return None if found is None else found[0]


def how_many() -> int:
    """Count the gradients that wait."""
    return len(_waiting)
