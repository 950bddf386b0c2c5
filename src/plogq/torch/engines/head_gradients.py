"""The gradients of a linear layer, summed piece by piece."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from plogq.torch.engines.head_products import (
    add_matrix_gradient,
    hidden_gradient,
    matrix_room,
    wide,
)
from plogq.torch.questions import Layer


class GradientSums(NamedTuple):
    """The gradients of a layer's tensors, in their order, as far as they are wanted."""

    all: list[Tensor | None]
    started: list[bool]  # whether there is anything in the gradients that are sums over rows

    @classmethod
    def of(cls, layer: Layer, wanted: tuple[bool, ...], some_rows: bool) -> GradientSums:
        """Return memory for them; that of rows which are left out is 0."""
        found: list[Tensor | None] = []
        for i, (t, want) in enumerate(zip(layer.tensors, wanted, strict=True)):
            if not want or t is None:
                found.append(None)
                continue
            dtype = wide(t.dtype) if i % 2 == 0 or t.dtype == torch.float16 else t.dtype
            if i and i % 2 == 0:
                found.append(matrix_room(t, dtype))
            else:
                new = torch.empty if i and not some_rows else torch.zeros
                found.append(new(t.shape, dtype=dtype, device=t.device))
        return cls(found, [False])

    def add(self, slope: Tensor, hidden: list[Tensor], layer: Layer, at: slice | Tensor) -> None:
        """Add those of a piece, from the gradient in its logits."""
        if (of_bias := self.all[0]) is not None:
            of_bias += slope.sum(0, dtype=of_bias.dtype)
        for i, (_, matrix) in enumerate(layer.terms):
            of_hidden, of_matrix = self.all[1 + 2 * i : 3 + 2 * i]
            if of_hidden is not None:
                of_hidden[at] = hidden_gradient(slope, matrix).to(of_hidden.dtype)
            if of_matrix is not None:
                add_matrix_gradient(of_matrix, slope, hidden[i], new=not self.started[0])
        self.started[0] = True

    def finished(self) -> list[Tensor | None]:
        """Return the gradients, which are 0 if there was no piece."""
        if not self.started[0]:
            for gradient in self.all:
                if gradient is not None:
                    gradient.zero_()
        return self.all
