"""Rows of predictions in fixed point, and their digest: encoder and decoder must agree on both."""

from __future__ import annotations

import math
from hashlib import blake2b
from operator import index
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.codes import range_coder
from plogq.codes.quantised import MOST_CLASSES, PRECISION, Kind, quantise
from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

Labels = npt.NDArray[np.int64]

DIGEST_BYTES = 6


class QuantisedRows(NamedTuple):
    """The predictions of n rows as constriction takes them, and the costs of the labels."""

    model: tuple[Any, ...]  # a model; or a family of models and the weights − 1 of each row
    weights: npt.NDArray[np.float32]  # (n, C) or, if shared, (1, C): the weights − 1
    surprisal: npt.NDArray[np.float64] | None  # (n,): −log q(label), in nats
    divergence: npt.NDArray[np.float64]  # (n,) or (1,): D_KL(q ‖ q̂), in nats

    def bits(self, labels: Labels) -> npt.NDArray[np.float64]:
        """Give −log₂ q̂(label) of each row, (n,)."""
        rows = np.arange(len(labels)) if len(self.weights) == len(labels) else 0
        weights = self.weights[rows, labels].astype(np.float64) + 1
        bits: npt.NDArray[np.float64] = PRECISION - np.log2(weights)
        return bits


class RowQuantiser:
    """Quantises predictions of C classes, and keeps the digest of all rows that were coded."""

    def __init__(self, classes: int, kind: Kind, shared: npt.ArrayLike | None) -> None:
        self.classes = index(classes)
        if not 1 <= self.classes <= MOST_CLASSES:
            refuse("classes", f"be 1 to {MOST_CLASSES:,}", classes)
        self.kind = kind
        self.seen = 0
        self._digest = blake2b(digest_size=DIGEST_BYTES)
        self._shared: QuantisedRows | None = None
        self._family = range_coder.family()
        if shared is not None:
            self._shared = self._quantise_shared(to_numpy("shared", shared))
            self._digest.update(self._shared.weights.astype("<f4", copy=False).data)

    @property
    def shared(self) -> bool:
        """Whether all rows have one distribution."""
        return self._shared is not None

    @property
    def least_bits(self) -> float:
        """Give the bits of the likeliest label, if all rows have one distribution."""
        assert self._shared is not None
        return PRECISION - math.log2(float(self._shared.weights.max()) + 1)

    def quantise(self, predictions: npt.ArrayLike | None, labels: Labels | None) -> QuantisedRows:
        """Round the predictions of rows; only the encoder knows their labels."""
        if self._shared is not None:
            if predictions is not None:
                refuse("predictions", "be left out, for they are shared", type(predictions))
            if labels is None:
                return self._shared
            one = self._shared
            assert one.surprisal is not None
            return one._replace(surprisal=one.surprisal[labels])
        if predictions is None:
            return refuse("predictions", "be given with each batch", None)
        x = to_numpy("predictions", predictions)
        n = len(labels) if labels is not None else x.shape[0] if x.ndim else 0
        if x.shape != (n, self.classes):
            refuse("predictions", f"have shape ({n}, {self.classes})", x.shape)
        q = quantise(x, labels, kind=self.kind, name="predictions", first=self.seen)
        return QuantisedRows((self._family, q.weights), q.weights, q.surprisal, q.divergence)

    def advance(self, given: QuantisedRows, rows: int) -> None:
        """Count rows as coded."""
        if not self.shared:
            self._digest.update(given.weights.astype("<f4", copy=False).data)
        self.seen += rows

    def digest(self) -> bytes:
        """Give 6 bytes of BLAKE2b over the weights of all rows coded, or of the shared one."""
        return self._digest.digest()

    def _quantise_shared(self, q: npt.NDArray[Any]) -> QuantisedRows:
        if q.shape != (self.classes,):
            refuse("shared", f"have shape ({self.classes},)", q.shape)
        best = np.array([np.argmax(q)])
        one = quantise(q[None], best, kind=self.kind, name="shared")
        assert one.surprisal is not None
        # The most probable label's surprisal keeps its digits; others add their distance from it.
        x = q.astype(np.float64)
        with np.errstate(divide="ignore"):
            further = np.log(x[best] / x) if self.kind == "probs" else x[best] - x
        model = range_coder.categorical(one.weights[0]) if self.classes > 1 else None
        return QuantisedRows((model,), one.weights, one.surprisal + further, one.divergence)


def as_labels(labels: npt.ArrayLike, classes: int, first: int) -> Labels:
    """Give class indices as int64; the first that is no class is refused with its row."""
    y = to_numpy("labels", labels)
    if y.ndim != 1 or (y.dtype.kind not in "iu" and y.size):
        refuse("labels", "be integers of shape (n,)", f"{y.dtype} of shape {y.shape}")
    bad = (y < 0) | (y >= classes)
    if bad.any():
        row = int(np.argmax(bad))
        refuse("labels", f"be class indices in [0, {classes})", y[row], row=first + row)
    return np.ascontiguousarray(y, np.int64)
