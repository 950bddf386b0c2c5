"""Scorers for `cross_val_score`, `cross_validate` and `GridSearchCV`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from plogq.adapters.sklearn.outputs import outputs_of, places_of
from plogq.score import score


class Scorer(BaseEstimator):  # type: ignore[misc]  # which clones, prints and routes metadata
    """A figure of `plogq.score.score` as a scorer, scorer(estimator, X, y): higher is better.

    Labels may be classes, (n,), or distributions over the estimator's `classes_`, (n, C). A class
    that the estimator has not seen has probability 0: where a row has it, the loss is infinite.

    Parameters
    ----------
    figure
        The name of a field of `plogq.score.Result`, in bits.
    sign
        1, or −1 where a lower figure is better.
    """

    def __init__(self, figure: str, sign: int) -> None:
        self.figure = figure
        self.sign = sign

    def score(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the figure of an estimator's `predict_proba` on rows and labels, signed."""
        _, probs = outputs_of(estimator, X, ("probs",))
        labels = np.asarray(y)
        if labels.ndim == 1:
            classes = np.union1d(estimator.classes_, labels)
            every = np.zeros((len(probs), len(classes)), probs.dtype)
            every[:, places_of(np.asarray(estimator.classes_), classes)] = probs
            labels, probs = places_of(labels, classes), every
        found = getattr(score(labels, probs, weight=sample_weight, bootstrap=0), self.figure)
        return float("nan") if found is None else self.sign * float(found) + 0.0  # and never −0

    __call__ = score


scorers = {
    "neg_log_loss_bits": Scorer("cross_entropy", -1),
    "information_gain": Scorer("information_gain", 1),
    "neg_miscalibration": Scorer("miscalibration", -1),
}
