"""Tensors of any kind: those inside of something, and the numbers that one holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor


def tensors_in(value: Any, depth: int = 4) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif depth and isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each, depth - 1)
    elif depth and isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors_in(each, depth - 1)


def numbers(x: Tensor) -> Tensor:
    """Return the numbers that a tensor keeps: of a sparse one those not left out, as they add up.

    A complex number is two. The squares of a tensor and of its numbers have the same sum.
    """
    x = x.detach()
    if x.is_sparse:
        x = x.coalesce().values()
    elif x.layout != torch.strided:
        x = x.to_dense()
    return torch.view_as_real(x.resolve_conj()) if x.is_complex() else x


def full(x: Tensor) -> Tensor:
    """Return the numbers of a tensor, with those that a sparse one leaves out."""
    return numbers(x if x.layout == torch.strided else x.detach().to_dense())


def square_sum(x: Tensor) -> float:
    """Return Σ |x|² in float64."""
    return float(numbers(x).double().square().sum())


def has_reentrant_checkpoint(loss: Tensor) -> bool:
    """Return whether a part of the graph is computed anew in `backward`, and only there."""
    waiting, seen = [loss.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "CheckpointFunctionBackward":
            return True
        waiting += [each for each, _ in node.next_functions]
    return False
