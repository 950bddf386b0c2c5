"""What is asked of JAX's arrays: of the rows of a softmax, or of elements through a sigmoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
from jax.tree_util import register_dataclass

from plogq.jax.losses import ElementLoss, RowLoss
from plogq.kernels.question import Statistics

Array = jax.Array
Answer = Array | tuple[Array, Statistics]


def _traced(*fields: str) -> Any:
    """Return what makes a question an argument of `jit`: these fields are traced, others static."""

    def register(cls: Any) -> Any:
        static = [name for name in cls.__dataclass_fields__ if name not in fields]
        return register_dataclass(cls, list(fields), static)

    return register


@_traced("target", "mask", "keep", "weight", "other", "row_weight", "denominator")
@dataclass
class Rows:
    """A loss of logits (…, C), row by row.

    Attributes
    ----------
    loss
        Which.
    target
        (…) class indices; (…, C) distributions if `soft`; None where the loss has no target.
    mask
        (…, C) bool: which classes count; None for all.
    keep
        (…) bool: a row that is False has loss 0 and gradient 0; None for all.
    weight
        (C,) by class; None for 1.
    other
        (…, C) logits of another model; None where the loss is of one.
    row_weight
        (…) what each row counts; None for 1.
    temperature, z_loss, softcap, reduction, denominator
        As `plogq.jax.cross_entropy` has them.
    statistics
        Whether the statistics of the rows are wanted, too.
    """

    loss: RowLoss
    target: Array | None
    soft: bool
    mask: Array | None
    keep: Array | None
    weight: Array | None
    other: Array | None
    row_weight: Array | None
    temperature: float
    z_loss: float
    softcap: float | None
    reduction: str
    denominator: Array | float | None
    statistics: bool


@_traced("rows", "matrix", "bias")
@dataclass
class Head:
    """A loss of the logits that a linear layer makes of hidden rows (R, D).

    Attributes
    ----------
    rows
        What is asked of the logits (R, C).
    matrix, bias
        (C, D), and (C,) or None.
    workspace
        Bytes for arrays like the logits of the rows that are in memory at once.
    """

    rows: Rows
    matrix: Array
    bias: Array | None
    workspace: int


@_traced("target", "keep", "weight", "pos_weight", "denominator")
@dataclass
class Elements:
    """A loss of numbers of any shape, element by element.

    Attributes
    ----------
    loss
        Which.
    target
        t in [0, 1], like the numbers.
    keep
        bool, like the numbers: an element that is False has loss 0 and gradient 0; None for all.
    weight, pos_weight
        Of all elements, and of the positive ones, like the numbers; None for 1.
    reduction, denominator
        As `plogq.jax.sigmoid_binary_cross_entropy` has them.
    """

    loss: ElementLoss
    target: Array
    keep: Array | None
    weight: Array | None
    pos_weight: Array | None
    reduction: str
    denominator: Array | float | None
