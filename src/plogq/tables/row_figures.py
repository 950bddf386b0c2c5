"""The figures of each row, in nats: surprisal, prediction, confidence, entropy, Brier score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plogq.formulas.softmax_state import softmax_parts
from plogq.formulas.terms import neg_log, times
from plogq.kernels.row_figures import row_figures
from plogq.kernels.sums import MOST_CLASSES
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch, Matrix
from plogq.tables.columns import Columns
from plogq.tables.numbers import shown
from plogq.tables.row_sums import TOLERANCE, not_distributions, remedy

# In nats. An exact sum can hold this times any weight that is allowed. The surprisal of a class
# masked with the lowest float32 instead of −inf is larger; such a class is impossible, too.
LARGEST_SURPRISAL = 2.0**64


class Events(NamedTuple):
    """What happened, by the labels: one event a row, or one for each class a soft label allows."""

    row: Array | slice  # (m,) rows of the batch; slice(None) where each is one event
    label: Array  # (m,) class
    share: Array | None  # (m,) its probability p_j > 0 by the label; None where it is 1
    surprisal: Array  # (m,) −log q_j

    def weights(self, of_rows: Array | None) -> Array | None:
        """Return the weight of each event, (m,): its row's times its share; None: all are 1."""
        if of_rows is None:
            return self.share
        return of_rows[self.row] if self.share is None else of_rows[self.row] * self.share


class RowFigures(NamedTuple):
    """The figures of n rows."""

    surprisal: Array  # −log q(y), or Σ p_j (−log q_j); inf where an impossible event happened
    predicted: Array  # the first class of highest probability
    confidence: Array  # its probability
    correct: Array  # 1 or 0, or the share of the label that the predicted class has
    entropy: Array  # H(q): what the model itself expects to pay
    brier: Array  # Σ_j (q_j − p_j)²
    logits: Array | Matrix  # (n, C) logits, or log q: what a temperature divides
    events: Events
    surprisal_of_target: Array  # −log q of the batch's target
    label_entropy: Array | None = None  # H(p), of soft labels
    kl: Array | None = None  # D_KL(p ‖ q), of soft labels


class FusedRows(NamedTuple):
    """Rows whose figures a state computes as it sums them: that takes one pass, not two."""

    logits: Array | Matrix
    column: str  # as the user would name it


class TopClasses:
    """The first class of highest logit, computed only for the rows that are asked for."""

    def __init__(self, logits: Array | Matrix) -> None:
        self._logits = logits

    def __getitem__(self, rows: Array) -> Array:
        return np.asarray(np.argmax(self._logits[rows], axis=1))


class SummedRows(NamedTuple):
    """What is left of `FusedRows` once they are summed, by the names of `RowFigures`."""

    surprisal: Array
    predicted: TopClasses
    logits: Array | Matrix
    events: Events
    surprisal_of_target: Array


def figures_or_logits(batch: Batch, columns: Columns, classes: int) -> RowFigures | FusedRows:
    """Return the figures of a batch, or its logits alone where a state computes them faster."""
    plain = columns.kind == "logits" and batch.soft is None and batch.weight is None
    if len(batch.target) == 0 or (plain and classes <= MOST_CLASSES):
        return FusedRows(_logits(batch), columns.predictions)
    return figures(batch, columns)


def figures(batch: Batch, columns: Columns) -> RowFigures:
    """Return the figures of a batch in nats, each row by itself, in double precision."""
    if columns.kind == "logits":
        x = _logits(batch)
        if batch.soft is None:
            return _from_logits(batch, columns, x)
        check_logits(batch, columns.predictions, x[:])
        parts = softmax_parts(np, np.ascontiguousarray(x[:], dtype=np.float64))
        q, surprisal = parts.probs(), parts.surprisals(np)
    else:
        q, surprisal = distributions(batch, columns)
        x = -surprisal
    return figures_of_probs(batch, q, surprisal, x)


def _logits(batch: Batch) -> Array | Matrix:
    """Return (n, C) logits; where there is one column, the logit of class 0 is 0."""
    x = batch.given
    return Matrix((np.zeros_like(x), x)) if isinstance(x, np.ndarray) and x.ndim == 1 else x


def _from_logits(batch: Batch, columns: Columns, x: Array | Matrix) -> RowFigures:
    try:
        found = row_figures(as_columns(x), batch.target)
    except ValueError:
        # Only a refused batch pays for finding out where.
        check_logits(batch, columns.predictions, x[:])
        raise
    surprisal = possible(found.surprisal)
    events = Events(slice(None), batch.target, None, surprisal)
    return RowFigures(
        surprisal,
        found.predicted,
        found.confidence,
        found.correct,
        found.entropy,
        found.brier,
        x,
        events,
        surprisal,
    )


def as_columns(x: Array | Matrix) -> Array | tuple[Array, ...]:
    """Return logits as the kernels take them: a matrix, or its columns."""
    return x.columns if isinstance(x, Matrix) else x


def check_logits(batch: Batch, column: str, x: Array) -> None:
    """Refuse rows with NaN or +inf, and rows where every class is masked."""
    bad = np.isnan(x).any(axis=1) | ~np.isfinite(x.max(axis=1))
    expected = "hold finite logits, or -inf for a masked class, with one class left in each row"
    batch.part.check(column, bad, expected, lambda i: shown(x[i]))


def distributions(batch: Batch, columns: Columns) -> tuple[Array, Array]:
    """Return (n, C) probabilities and their −log in nats, from a column of either."""
    x = batch.predictions.astype(np.float64)
    kind = batch.part.batch.schema.field(columns.names[0]).type
    kind = getattr(kind, "value_type", kind)
    logs = columns.kind == "logprobs"
    # log 0 = −inf is meant; any other bad number is refused right after.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if columns.layout == "binary":
            return _binary(batch, columns, x)
        given = np.ascontiguousarray(x)
        q = np.exp(given) if logs else given
    total, bad = not_distributions(
        given, q, kind, logs=logs, rounding=columns.rounding, normalise=columns.normalise
    )
    if bad.any():
        what = "be logarithms of numbers that" if logs else "be probabilities that"
        batch.part.check(
            columns.predictions,
            bad,
            f"{what} sum to 1{remedy(given[np.argmax(bad)], logs)}",
            lambda i: f"{shown(given[i])}, sum {total[i]:.9g}{columns.taken_columns()}",
        )
    if columns.normalise or columns.rounding is not None:
        q = q / total[:, None]
        given = given - np.log(total)[:, None] if logs else q
    # Rounding may leave a probability just above 1, within the tolerance that the sum was given.
    np.minimum(q, 1.0, out=q)
    return q, np.abs(np.minimum(given, 0.0)) if logs else neg_log(np, q)


def _binary(batch: Batch, columns: Columns, x: Array) -> tuple[Array, Array]:
    """Return (n, 2) probabilities and their −log in nats, from those of class 1.

    log1p and expm1 keep the digits that 1 − p would lose. A value outside [0, 1] by at most
    `TOLERANCE`, which a row's sum is allowed, too, is read as 0 or 1.
    """
    name = columns.classes[1] if columns.classes else "1"
    if columns.kind == "probs":
        bad = ~((x >= -TOLERANCE) & (x <= 1 + TOLERANCE))
        expected = f"be the probability of class {name}, in [0, 1]"
    else:
        bad, expected = ~(x <= TOLERANCE), f"be the log-probability of class {name}, at most 0"
    if bad.any():
        expected += _remedy_of_one(x, x[np.argmax(bad)], columns.kind)
        batch.part.check(columns.predictions, bad, expected, lambda i: x[i])
    if columns.kind == "probs":
        x = np.clip(x, 0.0, 1.0)
        q = 1 - x, x
        surprisal = np.abs(np.log1p(-x)), neg_log(np, x)
    else:
        x = np.minimum(x, 0.0)
        q = np.abs(np.expm1(x)), np.exp(x)
        surprisal = neg_log(np, q[0]), np.abs(x)
    return np.column_stack(q), np.column_stack(surprisal)


def _remedy_of_one(x: Array, bad: float, kind: str) -> str:
    if kind == "logprobs":
        inside = bool(((x >= 0) & (x <= 1)).all())
        return " (probabilities? then --probs)" if inside else " (logits? then --logits)"
    if np.isnan(bad):
        return ""
    if (x >= 0).all() and x.max() <= 100:
        return " (in percent? then divide by 100 first)"
    return " (log-probabilities? then --logprobs)" if (x <= 0).all() else " (logits? then --logits)"


def figures_of_probs(batch: Batch, q: Array, surprisal: Array, x: Array | Matrix) -> RowFigures:
    """Return the figures of a batch's rows under probabilities q, (n, C), with −log q in nats."""
    surprisal = possible(surprisal)
    n = np.arange(len(q))
    predicted = np.argmax(q, axis=1)
    confidence = q[n, predicted]
    entropy = times(np, q, surprisal).sum(axis=1)
    p = batch.soft
    if p is None:
        of_label = surprisal[n, batch.target]
        off = q.copy()
        off[n, batch.target] -= 1
        events = Events(slice(None), batch.target, None, of_label)
        return RowFigures(
            of_label,
            predicted,
            confidence,
            predicted == batch.target,
            entropy,
            (off * off).sum(axis=1),
            x,
            events,
            of_label,
        )
    own = neg_log(np, p)
    # Σ p (log p − log q), term by term, so that cross-entropy = H(p) + KL holds to rounding also
    # where the model's probabilities sum to 1 only within the tolerance.
    kl = times(np, p, surprisal - np.where(p > 0, own, 0.0)).sum(axis=1)
    row, label = np.nonzero(p)
    events = Events(row, label, p[row, label], surprisal[row, label])
    return RowFigures(
        times(np, p, surprisal).sum(axis=1),
        predicted,
        confidence,
        p[n, predicted],
        entropy,
        ((q - p) ** 2).sum(axis=1),
        x,
        events,
        surprisal[n, batch.target],
        times(np, p, own).sum(axis=1),
        kl,
    )


def possible(surprisal: Array) -> Array:
    """Return surprisals, with inf for those of classes masked with a very low finite logit."""
    if surprisal.max() < LARGEST_SURPRISAL:
        return surprisal
    return np.where(surprisal < LARGEST_SURPRISAL, surprisal, np.inf)
