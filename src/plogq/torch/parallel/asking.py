"""Arguments to a question about rows whose classes are in parts, with all checks of shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.torch.options import SoftmaxOptions
from plogq.torch.parallel.exchange import Heading
from plogq.torch.parallel.parts import Asked
from plogq.torch.parallel.ranks import Ranks, Whole, part_of
from plogq.torch.parallel.sums import Fields
from plogq.torch.questions import Rows, arithmetic

F = TypeVar("F", bound=Callable[..., Any])


def not_compiled(function: F) -> F:
    """Let a function run between the graphs of torch.compile."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            from plogq.torch.parallel.between_graphs import call_outside

            return call_outside(function, *args, **kwargs)
        return function(*args, **kwargs)

    return cast(F, called)


def widened(x: Tensor, axis: int) -> Tensor:
    """Return x with one more class if it has none, so that it passes checks; it counts nothing."""
    if x.shape[axis]:
        return x
    shape = list(x.shape)
    shape[axis] = 1
    return torch.cat([x, x.new_zeros(shape)], axis)


def asked_of(
    ranks: Ranks,
    rows: Rows,
    x: Tensor,
    width: int,
    *,
    weight: Tensor | None,
    vocab: int | None,
    whole: Whole | None,
    options: SoftmaxOptions,
    top_k: int = 0,
    of_all: tuple[object, ...] = (),
) -> tuple[Asked, Heading]:
    """Return the question over ranks, and this rank's heading.

    Parameters
    ----------
    rows
        The question, as if this part had all classes.
    x
        A tensor (…, D) with the rows, the dtype and the device of this part.
    width
        The number of its columns.
    of_all
        What must be the same on every rank, beside the options.
    """
    numbers = rows.options
    fields = Fields(
        soft=rows.soft,
        weighted=weight is not None,
        smoothed=bool(numbers.label_smoothing),
        entropy=rows.statistics,
        argmax=rows.statistics and not top_k,
        top_k=top_k,
    )
    for name, t in (("weight", weight), ("target", rows.target)):
        if t is not None and t.requires_grad and torch.is_grad_enabled():
            refuse(name, "be detached: over ranks it gets no gradient", "requires_grad=True")
    if weight is not None:
        weight = part_of("weight", weight, 0)[0]
    dtype = arithmetic(x)
    asked = Asked(ranks, rows, weight, fields, vocab, whole, dtype)
    softcap = options.get("softcap")
    same = tuple(numbers), fields, rows.reduction, rows.validate, vocab, softcap, of_all
    return asked, Heading.of(x, width, same)
