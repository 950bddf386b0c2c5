"""The logits of a head and of a teacher beside it: all at once, or a piece of their rows."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import softmax_core
from plogq.torch.engines.head_products import add_logits, logits_room, wide
from plogq.torch.questions import Head, Layer, Teacher, arithmetic, without_autocast

CAPPING = 3  # float32 arrays like the logits that a softcap has at a time


def logits_of(head: Head, layer: Layer) -> Tensor:
    """Return all logits (R, C), after the softcap, in operations that autograd follows."""
    return _all_logits(layer, head.softcap, head.rows.kept())


def teacher_logits(teacher: Teacher | None) -> Tensor | None:
    """Return all logits of a teacher, (R, C), after its softcap; None if there is none."""
    if teacher is None:
        return None
    if teacher.layer is not None:
        return _all_logits(teacher.layer, teacher.softcap, None)
    assert teacher.logits is not None
    return _capped(teacher.logits, teacher.softcap)


def _all_logits(layer: Layer, softcap: float | None, kept: Tensor | None) -> Tensor:
    dtype, x = layer.dtype, None
    with without_autocast(layer.terms[0][0]):
        for hidden, matrix in layer.terms:
            # In the gradient of the matrix, 0 · NaN of a row that is left out would be NaN.
            used = hidden if kept is None else hidden.masked_fill(~kept[:, None], 0.0)
            part = used.to(dtype) @ matrix.to(dtype).t()
            x = part if x is None else x + part
        assert x is not None
        x = x if layer.bias is None else x + layer.bias.to(dtype)
        return _capped(x, softcap)


def _capped(x: Tensor, softcap: float | None) -> Tensor:
    if softcap is None:
        return x
    capped: Tensor = softmax_core.capped(xp, x.to(arithmetic(x)), softcap)
    return capped


def write_logits(room: Tensor, hidden: list[Tensor], layer: Layer) -> Tensor:
    """Write the logits of hidden rows (n, D_k), before a softcap, into the first n rows of room."""
    x = room[: len(hidden[0])]
    for i, (_, matrix) in enumerate(layer.terms):
        add_logits(x, hidden[i], matrix, layer.bias, new=i == 0)
    return x


@dataclass(slots=True)
class TeacherPieces:
    """The logits of a teacher by pieces of their rows, which are written into the same memory."""

    teacher: Teacher
    room: Tensor | None

    @classmethod
    def of(cls, teacher: Teacher | None, size: int) -> TeacherPieces | None:
        """Return them with memory for `size` rows at a time; None if there is no teacher."""
        if teacher is None or teacher.layer is None:
            return None if teacher is None else cls(teacher, None)
        layer = teacher.layer
        device = layer.terms[0][0].device
        return cls(teacher, logits_room(size, layer.classes, layer.dtype, device))

    def logits(self, at: slice | Tensor) -> Tensor:
        """Return those of the rows of a piece, (n, C)."""
        layer, given, softcap = self.teacher.layer, self.teacher.logits, self.teacher.softcap
        if layer is None or self.room is None:
            assert given is not None
            return _capped(given[at], softcap)
        hidden = [hidden[at].to(layer.dtype) for hidden, _ in layer.terms]
        return _capped(write_logits(self.room, hidden, layer), softcap)


def teacher_bytes(teacher: Teacher | None, classes: int) -> int:
    """Return the bytes of a row of a teacher's logits, and of the hidden row that makes them."""
    if teacher is None:
        return 0
    if teacher.layer is None:
        assert teacher.logits is not None
        dtype, width = teacher.logits.dtype, 0
    else:
        dtype = teacher.layer.dtype
        width = sum(hidden.shape[1] for hidden, _ in teacher.layer.terms)
    capping = 0 if teacher.softcap is None else CAPPING * wide(dtype).itemsize
    return classes * (dtype.itemsize + capping) + width * dtype.itemsize
