"""Questions about torch's tensors: a loss of softmax rows, or of elements through a sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.formulas.surprisal_costs import Cost
from plogq.kernels.question import Question, Statistics


class Pair(NamedTuple):
    """`size` · a divergence of q = softmax(x/T) and p = softmax(other/T), and a cross-entropy.

    Attributes
    ----------
    other
        Logits of p: (R, C) or (N, S, C), as the loss's own come.
    beta
        β: 0 for D_KL(p ‖ q), 1 for D_KL(q ‖ p), and between them β D_KL(p ‖ m) +
        (1 − β) D_KL(q ‖ m) with m = β p + (1 − β) q.
    size
        The factor of the divergence.
    labels
        The factor of the cross-entropy of the target in x, at temperature 1; 0 for none.
    """

    other: Tensor
    beta: float
    size: float = 1.0
    labels: float = 0.0

    @property
    def kind(self) -> str:
        """One of "forward", "reverse" and "mixed"."""
        return "mixed" if 0 < self.beta < 1 else "reverse" if self.beta else "forward"


class RowLoss(NamedTuple):
    """A loss of rows.

    Attributes
    ----------
    name
        The name in messages.
    formula
        (R,) losses of (R, C) logits, a question and the parts of their softmax; differentiable any
        number of times.
    slopes
        Losses and gradients of a block of rows, if they are written by hand; else None.
    native
        Whether the native rows compute it.
    copies
        How many float32 arrays like the logits exist at once while its gradient is derived.
    cost
        f, if it is Σ_j w_j t_j f(−log p_j), with class weights and smoothing; else None.
    pair
        The divergence that it is of two rows of logits; else None.
    """

    name: str
    formula: Callable[..., Tensor]
    slopes: Callable[..., tuple[Tensor, Tensor]] | None = None
    native: bool = False
    cost: Cost | None = None
    copies: int = 12
    pair: Pair | None = None


class ElementLoss(NamedTuple):
    """A loss of single numbers: its formula takes logits, targets and the weights of positives."""

    name: str
    formula: Callable[[Tensor, Tensor, Tensor | None], Tensor]


@dataclass(slots=True)
class Rows(Question):
    """A loss of R rows of logits, (R, C) or (N, S, C).

    Attributes
    ----------
    loss
        The loss.
    inplace
        Whether the gradient may overwrite the logits.
    sound
        (R,) bool: the loss of a row is NaN where it is False. None where values are known, and bad
        targets were refused, or where nothing is to be checked.
    teacher
        (R, C) logits of a teacher, to whom no gradient flows, for the losses that have one.
    """

    loss: RowLoss = field(kw_only=True)
    inplace: bool = False
    sound: Tensor | None = None
    teacher: Tensor | None = None

    def labels(self) -> Tensor:
        """Return (R,) class indices to gather with: 0 for a row that is left out.

        A label that is no class is 0 where it could not be refused, since its row is NaN anyway.
        Without validation it stays as it is, and torch raises where it gathers.
        """
        assert self.target is not None
        labels: Tensor = self.target
        for usable in (self.kept(), self.sound):
            if usable is not None:
                labels = torch.where(usable, labels, 0)
        return labels

    def distributions(self) -> Tensor:
        """Return (R, C) targets."""
        assert self.target is not None
        targets: Tensor = self.target.flatten(0, -2)
        return targets


class Layer(NamedTuple):
    """What makes logits: Σ_k hidden_k · matrix_kᵀ + bias.

    Attributes
    ----------
    terms
        Pairs of hidden rows (R, D_k) and a matrix (C, D_k); the first is the linear layer, and a
        low-rank adapter is another.
    bias
        (C,) or None.
    dtype
        What the products are computed in; the logits have it, too.
    """

    terms: tuple[tuple[Tensor, Tensor], ...]
    bias: Tensor | None
    dtype: torch.dtype

    @property
    def classes(self) -> int:
        """Return C."""
        return self.terms[0][1].shape[0]

    @property
    def tensors(self) -> tuple[Tensor | None, ...]:
        """Return the bias, then hidden rows and matrix of each term."""
        return self.bias, *(t for term in self.terms for t in term)

    def of(self, bias: Tensor | None, *tensors: Any) -> Layer:
        """Return this layer with other tensors, in the order of `tensors`."""
        return Layer(tuple(zip(tensors[::2], tensors[1::2], strict=True)), bias, self.dtype)


class Teacher(NamedTuple):
    """Logits of a teacher beside a head's, to which no gradient flows.

    Attributes
    ----------
    logits
        (R, C); None if a layer makes them.
    layer
        What makes them.
    softcap
        Theirs, as a head's.
    """

    logits: Tensor | None
    layer: Layer | None
    softcap: float | None = None

    @property
    def tensors(self) -> tuple[Tensor | None, ...]:
        """Return all that it reads."""
        return self.logits, *(() if self.layer is None else self.layer.tensors)


@dataclass(slots=True)
class Head:
    """A loss of the logits (R, C) that a linear layer makes of hidden rows.

    Attributes
    ----------
    rows
        What is asked of the logits.
    layer
        The layer.
    softcap
        c: the logits x are replaced by c · tanh(x / c); None for x.
    workspace
        Bytes for the logits that exist at once, and for what is computed of them.
    compact
        Whether the rows that are left out are dropped before any product.
    valid
        The number of rows that are not left out; None if it is not known.
    teacher
        The logits that the loss reads beside the layer's; None for most losses.
    """

    rows: Rows
    layer: Layer
    softcap: float | None
    workspace: int
    compact: bool = True
    valid: int | None = None
    teacher: Teacher | None = None


@dataclass(slots=True)
class TokenHead(Head):
    """The log-probability of each row's label, the row's entropy, and its likeliest classes.

    Attributes
    ----------
    top_k
        How many of these.
    """

    top_k: int = 0


class TokenLogprobs(NamedTuple):
    """What a head says of each token, in nats.

    Attributes
    ----------
    logprobs
        log p of the token; 0 where it is left out.
    entropy
        H(p); 0 where it is left out.
    top_logprobs, top_ids
        log p of the likeliest classes, the likeliest first, and these classes; None unless asked
        for. −inf and −1 where the token is left out.
    """

    logprobs: Tensor
    entropy: Tensor
    top_logprobs: Tensor | None
    top_ids: Tensor | None


@dataclass(slots=True)
class Elements:
    """A loss of logits of any shape, element by element.

    Attributes
    ----------
    loss
        The loss.
    target
        Targets in the shape of the logits.
    weight, pos_weight
        The weights of all elements, and of positives; they broadcast to the logits; None for 1.
    reduction, denominator, validate
        As for `plogq.kernels.question.Question`; a mean divides by the number of elements.
    """

    loss: ElementLoss
    target: Tensor
    weight: Tensor | None
    pos_weight: Tensor | None
    reduction: str
    denominator: float | Tensor | None
    validate: bool


Figures = tuple[Tensor, Tensor, Tensor]  # (R,) each: lse, entropy, argmax
Answer = tuple[Tensor, Statistics | None]  # the reduced loss, or with reduction "none" (R,) losses


def statistics(rows: Rows, lse: Tensor, entropy: Tensor, argmax: Tensor) -> Statistics:
    """Give the public statistics: with the accuracy, and blank for rows that are left out."""
    label = argmax if rows.target is None else rows.target
    if rows.soft:
        label = rows.distributions().argmax(dim=1)
    kept = rows.kept()
    if kept is None:
        kept = torch.ones_like(label, dtype=torch.bool)
    argmax = torch.where(kept & ~lse.isnan(), argmax, -1)
    correct = (argmax == label) & kept
    accuracy = correct.sum() / kept.sum().clamp(min=1)
    lse, entropy = torch.where(kept, lse, -torch.inf), torch.where(kept, entropy, 0.0)
    return Statistics(lse, entropy, argmax, accuracy)


def arithmetic(x: Tensor, name: str = "input") -> torch.dtype:
    """Return the dtype of the arithmetic and of the loss: half precisions are summed in float32."""
    if not x.is_floating_point():
        refuse(name, "be floating point", x.dtype, error=TypeError)
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def products(x: Tensor) -> torch.dtype:
    """Return the dtype in which a linear layer of x is computed.

    It is autocast's, or else that of x; but a CPU has no product of float16 worth the name.
    """
    dtype, device = x.dtype, x.device.type
    if not x.is_meta and torch.is_autocast_enabled(device) and dtype != torch.float64:
        dtype = torch.get_autocast_dtype(device)
    return torch.float32 if device == "cpu" and dtype == torch.float16 else dtype


def without_autocast(x: Tensor) -> AbstractContextManager[Any]:
    """Return a context without autocast on x's device; a meta tensor has none."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def wants_gradient(*tensors: Any) -> bool:
    """Tell whether any of these tensors needs a gradient."""
    return any(t is not None and t.requires_grad for t in tensors)
