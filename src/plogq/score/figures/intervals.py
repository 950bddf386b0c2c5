"""The intervals of a report's main figures, by a bootstrap over buckets of rows."""

from __future__ import annotations

import numpy as np

from plogq.formulas.terms import neg_log, times
from plogq.formulas.units import Unit, from_nats
from plogq.score.figures.decomposition import Recalibrations, Savings
from plogq.score.figures.promise import promised
from plogq.score.state.buckets import Buckets
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import interval, replicate_weights
from plogq.tables.sums.products import weighted_sums

WITHOUT_UNIT = {"explained", "perplexity", "accuracy", "brier"}
AT_A_TIME = 256  # replicates
NUMBERS_AT_A_TIME = 1 << 18  # so many stay in the processor's cache


def intervals(
    buckets: Buckets,
    recalibrations: Recalibrations,
    figures: dict[str, float],
    chosen: int,
    unseen: float,
    *,
    soft: bool,
    unit: Unit,
    replicates: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Return the interval of each figure that is finite, in its unit.

    Its ends are percentiles of the figure's replicates, with the family chosen anew in each; they
    are moved to include the figure where it lies outside. Miscalibration is the exception:

    - Where a family is taken, the interval is of what that one saves on fresh rows (`promised`),
      and may reach below 0.
    - Where predictions are left as they are, a saving within its error has gone unseen. The upper
      end is then at least the upper percentile of the most that any family saves in a replicate,
      and what a temperature at the ends of its own interval would save. Where the identity was
      asked for, nothing goes unseen.

    Parameters
    ----------
    buckets
        The table's sums.
    recalibrations
        What each family saves.
    figures
        The figures by name, in nats or without unit; some of them have no interval.
    chosen
        The index of the family taken.
    unseen
        What the ends of the temperature's interval would save, in nats per row.
    soft
        Whether labels are distributions.
    unit
        The unit of the intervals.
    replicates, seed
        How many replicates the bootstrap has, and its seed.
    """
    left_alone = chosen == 0
    sums = _Sums(buckets, recalibrations.savings, None if left_alone else chosen, soft)
    if recalibrations.buckets < 2 or replicates == 0:
        return {}
    weights = replicate_weights(recalibrations.buckets, replicates, seed)
    weights = weights[weights.any(axis=1)]  # where rows are few, a replicate may hold none
    parts = [
        sums.under(weights[first : first + AT_A_TIME])
        for first in range(0, len(weights), AT_A_TIME)
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    _correct(found, figures, int(np.count_nonzero(sums.labels.any(axis=0))))
    most = interval(found.pop("most_saved"))
    out = {}
    for name, values in found.items():
        figure = figures[name]
        ends = interval(values) if np.isfinite(figure) else None
        if ends is not None:
            low, high = min(ends[0], figure), max(ends[1], figure)
            if name == "miscalibration":
                if not left_alone:
                    low, high = promised(recalibrations, chosen, figure, ends)
                elif recalibrations.savings.asked is None:
                    high = max(high, unseen, most[1] if most else 0.0)
            nats = np.array([low, high])
            in_unit = nats if name in WITHOUT_UNIT else from_nats(nats, unit)
            out[name] = (float(in_unit[0]), float(in_unit[1]))
    return out


class _Sums:
    """The sums of each bucket that holds rows, and the figures for any weights of the buckets."""

    def __init__(self, buckets: Buckets, savings: Savings, taken: int | None, soft: bool) -> None:
        used = buckets.used()
        self.labels = buckets.amounts(buckets.labels)[used]
        self._names = list(buckets.sums)
        sums = [buckets.by_bucket(name) for name in self._names]
        sums += [buckets.amounts(buckets.rows), buckets.amounts(buckets.impossible)]
        self._columns = np.stack([each[used] for each in sums], axis=1)
        self._savings = savings
        self._taken = taken  # whose saving miscalibration is; None for that of the one chosen anew
        self._soft = soft

    def under(self, weights: Array) -> dict[str, Array]:
        """Return figures in nats or without unit, (m,), for weights (m, used buckets)."""
        *sums, total, impossible = weighted_sums(weights, self._columns).T
        means = {name: each / total for name, each in zip(self._names, sums, strict=True)}
        loss = np.where(impossible > 0, np.inf, means["surprisal"])
        per_row, chosen = self._savings.under(weights)
        saved = per_row[np.arange(len(chosen)), chosen]
        fixed = saved if self._taken is None else per_row[:, self._taken]
        with np.errstate(over="ignore"):
            perplexity = np.exp(loss)
        out = {
            "cross_entropy": loss,
            "label_entropy": _entropy(weighted_sums(weights, self.labels)),
            "refinement": means["surprisal"] - saved,
            "miscalibration": np.where(impossible > 0, np.inf, fixed),
            "most_saved": per_row.max(axis=1),
            "perplexity": perplexity,
            "accuracy": means["correct"],
            "brier": means["brier"],
            "prediction_entropy": means["entropy"],
            "overconfidence": loss - means["entropy"],
        }
        if self._soft:
            out["entropy_floor"] = means["label_entropy"]
            out["kl"] = np.where(impossible > 0, np.inf, means["kl"])
        return out


def _correct(found: dict[str, Array], figures: dict[str, float], classes: int) -> None:
    """Correct the replicates of the labels' entropy, and add the figures that come from it.

    The entropy of frequencies is lower than that of probabilities, by about (classes − 1) / 2 n
    (Miller, 1955), and that of resampled frequencies is lower once more by as much. The second
    difference can be computed, and stands for both.
    """
    labels = found["label_entropy"]
    labels += 2 * (figures["label_entropy"] - labels.mean())
    np.clip(labels, 0.0, np.log(classes), out=labels)
    gain = labels - found["cross_entropy"]
    found["information_gain"] = gain
    found["explained"] = np.divide(gain, labels, out=np.full_like(gain, np.nan), where=labels > 0)
    found["resolution"] = labels - found["refinement"]


def _entropy(amounts: Array) -> Array:
    """Return the entropy of each row in nats, (m, C) → (m,), a few rows at a time."""
    step = max(1, NUMBERS_AT_A_TIME // amounts.shape[1])
    out = np.empty(len(amounts))
    for first in range(0, len(amounts), step):
        some = amounts[first : first + step]
        p = some / some.sum(axis=1, keepdims=True)
        out[first : first + step] = times(np, p, neg_log(np, p)).sum(axis=1)
    return out
