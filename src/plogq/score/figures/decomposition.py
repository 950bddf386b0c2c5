"""Refinement and miscalibration: what the recalibration taken leaves, and what it saves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from plogq.errors import TableError, refuse
from plogq.score.recalibration import Family, LabelledRows, choose_families, cross_fit, log_softmax
from plogq.score.recalibration.families.temperature import LOG2_BOUND, Temperature
from plogq.score.recalibration.families.vector import Vector
from plogq.score.state.buckets import Buckets
from plogq.score.state.sample import Sampled
from plogq.score.state.state import State
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import fold_of_buckets
from plogq.tables.sums.level import NORMAL_END
from plogq.tables.sums.products import weighted_sums

# Added to the count of each class, so that no base rate is 0: Krichevsky and Trofimov (1981).
PRIOR_COUNT = 0.5
ROUNDING = 1e-12  # of a cross-entropy: a difference below that comes of rounding


class WeightedSample(NamedTuple):
    """The sampled rows, and what they stand for."""

    rows: Sampled
    possible: Array  # (n,) whether q(y) > 0
    weight: Array  # (n,) of all the rows that this one stands for; their sum is the table's


@dataclass(frozen=True)
class Recalibrations:
    """What each family learnt from the sampled rows, and what it saves in each bucket of rows."""

    sample: WeightedSample
    labelled: LabelledRows
    fits: tuple[Family, ...]  # fitted to all sampled rows; the identity first
    held_out: Array  # (families, n) what each row costs by the fits to the other folds, in nats
    aside: dict[str, str]  # the families that were not tried, and why
    folds: int
    buckets: int  # how many hold rows
    savings: Savings


def recalibrate(
    state: State, folds: int, seed: int, family: str | None, path: str
) -> Recalibrations:
    """Return each family's fit to the sample, and what it saves, cross-fitted, on held-out rows.

    `family` is the one to take whatever it saves; a refusal names the table by `path`.
    """
    buckets = state.buckets
    sample = _weighted_sample(state)
    rows = sample.rows
    sampled = np.bincount(rows.bucket, minlength=buckets.count) > 0
    folds = min(folds, int(sampled.sum()))
    impossible = not sample.possible.all()
    families, aside = choose_families(len(rows.row), state.classes, impossible, folds)
    if family in aside:
        expected = "be one that this table can be fitted by"
        refuse(f"{path}: family {family!r}", expected, aside[family], error=TableError)
    fold = fold_of_buckets(sampled, max(1, folds), seed)
    base, base_without = _base_rates(buckets, fold, folds)
    labelled = LabelledRows(
        log_softmax(rows.logits), rows.label, sample.weight / sample.weight.mean(), base
    )
    losses, fits = cross_fit(labelled, rows.surprisal, fold[rows.bucket], base_without, families)
    asked = None if family is None else [each.name for each in families].index(family)
    savings = Savings(buckets, sample, fits, losses, asked)
    used = len(buckets.used())
    return Recalibrations(sample, labelled, fits, losses, aside, folds, used, savings)


def _weighted_sample(state: State) -> WeightedSample:
    """Return the samples of possible and impossible rows as one, weighted as all rows of each."""
    buckets = state.buckets
    impossible = buckets.amounts(buckets.impossible)
    possible = buckets.amounts(buckets.rows) - impossible
    parts, weights = [], []
    for sample, amounts in ((state.sample, possible), (state.impossible_sample, impossible)):
        rows = sample.rows()
        if rows is not None:
            parts.append(rows)
            weights.append(rows.weight * (amounts.sum() / rows.weight.sum()))
    rows = Sampled(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))
    return WeightedSample(rows, np.isfinite(rows.surprisal), np.concatenate(weights))


def _base_rates(buckets: Buckets, fold: Array, folds: int) -> tuple[Array, list[Array]]:
    """Return smoothed frequencies of classes, (C,): of the whole table, and without each fold."""
    counts = buckets.amounts(buckets.labels)
    counts *= buckets.rows.rows.sum() / counts.sum()

    def rates(of: Array) -> Array:
        smoothed = of + PRIOR_COUNT
        out: Array = smoothed / smoothed.sum()
        return out

    total = counts.sum(axis=0)
    without = [rates(total - counts[fold == number].sum(axis=0)) for number in range(folds)]
    return rates(total), without


def _has_best(fit: Family) -> bool:
    """Return whether a fit is the best there is, and not the sharpest that was tried.

    Where no row contradicts a sharper prediction, the best temperature is 0: the first row that
    does contradict it would then cost more than all rows have saved.
    """
    scaled = fit.temperature if isinstance(fit, Vector) else fit
    return not isinstance(scaled, Temperature) or scaled.log2_beta < LOG2_BOUND


class Saved(NamedTuple):
    """What recalibration saves of a table whose buckets have some weights."""

    # (m, families) nats per row of the table: what is saved of the finite cost, less what rows
    # that were impossible then cost; −inf for a family that leaves them impossible.
    per_row: Array
    chosen: Array  # (m,) the index of the family taken


class Savings:
    """What each family saves, for any weights of the buckets that hold rows.

    The finite part of the cross-entropy is known exactly. The sample only tells what a family
    saves of that, and what rows with q(y) = 0 cost where a family gives them a positive q(y).

    Parameters
    ----------
    buckets
        The table's sums.
    sample
        The sampled rows.
    families
        The fits of the families that were tried, the identity first.
    losses
        What each sampled row costs when it is held out, in nats, (families, n).
    asked
        The index of the family to take whatever it saves; None where the savings decide.
    """

    def __init__(
        self,
        buckets: Buckets,
        sample: WeightedSample,
        families: tuple[Family, ...],
        losses: Array,
        asked: int | None = None,
    ) -> None:
        self.asked = asked
        rows, possible, weight = sample
        used = buckets.used()
        self._has_best = np.array(list(map(_has_best, families)))
        self._finite = np.array([possible.all() or family.mends for family in families])
        # Losses of impossible rows enter the sums only of families that make them possible.
        saved = np.where(possible, np.where(possible, rows.surprisal, 0.0) - losses, 0.0)
        mended = np.where(possible | ~self._finite[:, None], 0.0, losses)

        def by_bucket(values: Array) -> Array:
            return np.bincount(rows.bucket, values * weight, buckets.count)[used]

        sampled = by_bucket(possible), by_bucket(~possible)
        amount = sampled[0] + sampled[1]
        every = buckets.amounts(buckets.rows)[used]
        impossible = buckets.amounts(buckets.impossible)[used]
        beyond = (buckets.by_bucket("surprisal") - buckets.by_bucket("entropy"))[used]
        savings = [by_bucket(each) for each in saved]
        costs = [by_bucket(each) for each in mended]
        self._rounding = ROUNDING * buckets.total("surprisal") / every.sum()
        # The sums that the standard errors of differences Δ between two families need.
        self._pairs = list(combinations(range(len(families)), 2))
        differences = [costs[i] - savings[i] - costs[j] + savings[j] for i, j in self._pairs]
        of_each_bucket = [
            [every - impossible, impossible, *sampled],
            savings,
            costs,
            [amount, amount**2],
            differences,
            [each**2 for each in differences],
            [each * amount for each in differences],
            [beyond, beyond**2, beyond * every, every**2],
        ]
        self._ends = np.cumsum([len(columns) for columns in of_each_bucket])
        self._columns = np.stack(list(chain.from_iterable(of_each_bucket)), axis=1)

    def under(self, weights: Array) -> Saved:
        """Return what is saved under weights of the buckets that hold rows, (m, used buckets).

        The simplest family within one standard error of the best is taken. The error is that of
        the difference between the two over the buckets, so that what both have in common is no
        noise (Breiman, Friedman, Olshen, Stone, 1984). A family that saves nothing, but for
        rounding, is not taken, nor one that only its bound keeps from certainty. The predictions as
        they are, in turn, are taken only where cross-entropy and prediction entropy differ by at
        most `NORMAL_END` standard errors, or where no family saves anything. That is the score test
        of T = 1: it detects a little overconfidence before the saving of any family is larger than
        its noise.
        """
        parts = np.split(weighted_sums(weights, self._columns), self._ends[:-1], axis=1)
        (possible, impossible, *sampled), savings, costs = parts[0].T, parts[1], parts[2]
        saved = savings * _ratio(possible, sampled[0])[:, None]
        saved -= costs * _ratio(impossible, sampled[1])[:, None]
        saved /= (possible + impossible)[:, None]
        saved[np.abs(saved) <= self._rounding] = 0.0
        saved[:, ~self._finite] = -np.inf
        every = np.arange(len(saved))
        if self.asked is not None:
            return Saved(saved, np.full(len(saved), self.asked))
        sound = np.where(self._has_best, saved, -np.inf)
        best = np.argmax(sound, axis=1)
        errors = self._errors(*parts[3:7])
        beyond, *products = parts[7].T
        total = possible + impossible
        sure = np.abs(beyond / total) <= NORMAL_END * _error(total, beyond / total, *products)
        chosen: Array = best.copy()
        for k in reversed(range(saved.shape[1])):
            near = sound[:, k] >= sound[every, best] - errors[every, k, best]
            chosen[near & (sound[:, k] > sound[:, 0] if k else sure)] = k
        return Saved(saved, chosen)

    def _errors(self, amounts: Array, mean: Array, squares: Array, products: Array) -> Array:
        """Return the standard error of each difference of two savings, (m, families, families)."""
        total = amounts[:, :1]
        errors = _error(total, mean / total, squares, products, amounts[:, 1:])
        out = np.zeros((len(amounts), len(self._finite), len(self._finite)))
        for (i, j), error in zip(self._pairs, errors.T, strict=True):
            out[:, i, j] = out[:, j, i] = error
        return out


def _error(total: Array, mean: Array, squares: Array, products: Array, of_total: Array) -> Array:
    """Return the standard error of a mean δ = Σ u Δ / Σ u w over buckets of weights u.

    It is √(Σ u (Δ − δ w)²) / Σ u w, from Σ u w, δ, Σ u Δ², Σ u Δ w and Σ u w².
    """
    variance = squares - 2 * mean * products + mean**2 * of_total
    out: Array = np.sqrt(np.maximum(variance, 0.0)) / total
    return out


def _ratio(amount: Array, of: Array) -> Array:
    out: Array = amount / np.where(of > 0, of, 1.0)
    return out
