"""The engines of the NumPy door: the native rows, and the formula for what they do not compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from plogq.formulas import (
    ValueAndGrad,
    focal_from_logits,
    generalised_cross_entropy_from_logits,
    poly_from_logits,
    squared_error_from_logits,
    z_loss_from_logits,
)
from plogq.kernels import rows
from plogq.kernels.question import Question, Statistics
from plogq.kernels.seam import Engines
from plogq.numpy._reducer import Array

Formula = Callable[[Array, Array, Question], tuple[Array, Array]]


class RowLoss(NamedTuple):
    """A loss of rows; its formula maps logits, targets and a question to (losses, gradients)."""

    name: str
    formula: Formula


def _cross_entropy(z: Array, target: Array, question: Question) -> tuple[Array, Array]:
    options = question.options
    return focal_from_logits(
        z,
        target,
        gamma=options.gamma,
        weight=question.weight,
        label_smoothing=options.label_smoothing,
    )


def _squared_error(z: Array, target: Array, question: Question) -> tuple[Array, Array]:
    return squared_error_from_logits(z, target)


CROSS_ENTROPY = RowLoss("cross-entropy", _cross_entropy)
SQUARED_ERROR = RowLoss("squared error", _squared_error)


def generalised_cross_entropy(q: float) -> RowLoss:
    """Return the generalised cross-entropy of exponent q."""
    return _by_class(
        "generalised cross-entropy", partial(generalised_cross_entropy_from_logits, q=q)
    )


def poly(epsilon: float) -> RowLoss:
    """Return Poly-1 of coefficient ε."""
    return _by_class("Poly-1", partial(poly_from_logits, epsilon=epsilon))


def _by_class(name: str, loss: Callable[..., ValueAndGrad]) -> RowLoss:
    """Return a loss with class weights and smoothing."""

    def formula(z: Array, target: Array, question: Question) -> tuple[Array, Array]:
        smoothing = question.options.label_smoothing
        return loss(z, target, weight=question.weight, label_smoothing=smoothing)

    return RowLoss(name, formula)


@dataclass(slots=True)
class Task:
    """A question, and what else an engine needs to answer it.

    Attributes
    ----------
    row_scale
        The factor of the gradient of each row, (1,) or (R,).
    gradient
        Receives the gradient, like the logits; None if none is wanted.
    """

    question: Question
    loss: RowLoss
    row_scale: Array
    gradient: Array | None
    threads: int | None


class Answer(NamedTuple):
    """The loss of each row, (R,), in nats, and the kernel's statistics if they were asked for."""

    losses: Array
    found: rows.RowStatistics | None


class Native:
    """The native row kernel."""

    name = "native"

    def refusal(self, x: Array, task: Task) -> str:
        """Say what the kernel does not compute."""
        options = task.question.options
        if task.loss is not CROSS_ENTROPY:
            return f"it has no {task.loss.name}"
        if options.gamma and (task.question.soft or options.label_smoothing):
            return "it has no focal loss of distributions or smoothed labels"
        return ""

    def answer(self, x: Array, task: Task) -> Answer:
        """Compute losses and gradients in one pass."""
        question = task.question
        found = rows.softmax_loss(
            x,
            question.target,
            question.options,
            weight=question.weight,
            ignore_index=None if question.soft else question.ignore_index,
            keep=question.keep,
            row_scale=task.row_scale,
            gradient=task.gradient,
            moments=question.statistics,
            validate=question.validate,
            threads=task.threads,
        )
        return Answer(found.loss, found)


class ByFormula:
    """`plogq.formulas`, for every loss that has a formula there."""

    name = "formula"

    def refusal(self, x: Array, task: Task) -> str:
        """Take everything."""
        return ""

    def answer(self, x: Array, task: Task) -> Answer:
        """Compute losses and gradients of all rows at once."""
        question = task.question
        classes, kept = x.shape[-1], question.kept()
        x, y = x.reshape(-1, classes), question.target
        if x.dtype == np.float16:
            x = x.astype(np.float32)
        if kept is None:
            kept = np.ones(len(x), np.bool_)
        z = np.where(kept[:, None], x, 0) / question.options.temperature
        assert y is not None
        if question.soft:
            y = np.where(kept[:, None], y.reshape(-1, classes), 1 / classes)
        else:
            y = np.where(kept, y, 0)
        loss, slope = task.loss.formula(z, y, question)
        extra, extra_slope = z_loss_from_logits(z)
        z_loss = question.options.z_loss
        loss = np.where(kept, loss + z_loss * extra, 0)
        found = rows.row_statistics(z, moments=True) if question.statistics else None
        if task.gradient is not None:
            slope = (slope + z_loss * extra_slope) / question.options.temperature
            slope *= np.where(kept, task.row_scale, 0)[:, None]
            task.gradient[...] = slope.reshape(task.gradient.shape)
        return Answer(loss, found)


ENGINES = Engines("plogq.numpy", Native(), ByFormula())


def statistics(found: rows.RowStatistics, question: Question) -> Statistics:
    """Give the public statistics: with the accuracy, and blank for rows that are left out."""
    kept, target = question.kept(), question.target
    if kept is None:
        kept = np.ones(len(found.argmax), np.bool_)
    argmax = np.where(kept, found.argmax, -1)
    assert target is not None
    label = target.argmax(axis=-1).reshape(-1) if question.soft else target
    accuracy = np.count_nonzero((argmax == label) & kept) / max(1, int(np.count_nonzero(kept)))
    lse = np.where(kept, found.max + np.log1p(found.rest), -np.inf)
    entropy = np.where(kept, found.entropy, 0)
    lse, entropy, argmax = (a.reshape(question.shape) for a in (lse, entropy, argmax))
    return Statistics(lse, entropy, argmax, float(accuracy))
