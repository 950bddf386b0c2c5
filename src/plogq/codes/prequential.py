"""The cost of labels under a model that is trained on those before, which shows if it learns."""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.codes.frequencies import frequency_bits
from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

Floats = npt.NDArray[np.float64]


class Block(NamedTuple):
    """A block of labels, and its cost under the model that was trained on the labels before it."""

    start: int
    stop: int
    bits: float

    @property
    def bits_per_row(self) -> float:
        """Bits per label of the block."""
        return self.bits / (self.stop - self.start)


class Prequential(NamedTuple):
    """The result of `prequential`: all figures in bits, for all n labels.

    Attributes
    ----------
    bits
        The code length of the labels, given the inputs and a model trained block by block.
    blocks
        The blocks; the first is coded without a model.
    uniform_bits
        n log₂ C: the cost if all classes are equally likely and the inputs are not used.
    labels_bits
        The cost under the frequencies of the labels before, without inputs: `frequency_bits`.
    two_part_bits
        The model that is trained on everything, sent as k/2 · log₂ n bits for its k parameters, and
        then the labels under it. None if the number of parameters is not known.
    parameters
        k.
    """

    bits: float
    blocks: tuple[Block, ...]
    uniform_bits: float
    labels_bits: float
    two_part_bits: float | None
    parameters: int | None

    @property
    def learned_bits(self) -> float:
        """The bits that the inputs save: labels_bits − bits. Above 0, the model has learned."""
        return self.labels_bits - self.bits

    @property
    def curve(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """The pairs (rows seen, bits that they cost together)."""
        rows = np.array([0, *(block.stop for block in self.blocks)])
        return rows, np.cumsum([0.0, *(block.bits for block in self.blocks)])


def prequential(
    model: Any,
    inputs: Any,
    labels: npt.ArrayLike,
    *,
    cuts: Sequence[int] | None = None,
    parameters: int | None = None,
) -> Prequential:
    """Code labels block by block, each under a model that is trained on the blocks before.

    The code can be decoded: the receiver has the inputs and the method, trains on what it has
    decoded, and so has the distributions of the next block. No parameter has to be sent. The code
    is long if a model learns late or never, however well it fits in the end. After t rows, q is
    mixed with the uniform distribution u as (t q + u) / (t + 1), so that no label is impossible.

    Parameters
    ----------
    model
        Anything with `fit(inputs, labels)` and `predict_proba(inputs)`; a copy is fitted for each
        block. `classes_` names the classes of its columns; without it they are the sorted labels
        seen.
    inputs
        n rows: an array, a sequence, a data frame.
    labels
        Shape (n,). The classes are those that occur in it.
    cuts
        Where blocks begin, ascending in (0, n); by default ten, at growing distances. The rows
        before the first are coded as equally likely.
    parameters
        k, for the two-part code. By default the size of `coef_` and `intercept_`, if the model has
        them.

    Raises
    ------
    ValueError
        If shapes do not fit, cuts are out of range, or predictions are no distributions.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 2))
    >>> y = (x[:, 0] + 0.3 * rng.standard_normal(500) > 0).astype(int)
    >>> found = prequential(LogisticRegression(), x, y)
    >>> round(found.bits), round(found.labels_bits), round(found.uniform_bits)
    (181, 503, 500)
    >>> prequential(LogisticRegression(), x, rng.permutation(y)).learned_bits < 0
    True

    References
    ----------
    Dawid (1984), Statistical theory: the prequential approach; Rissanen (1984), Universal coding,
    information, prediction, and estimation; Blier, Ollivier (2018), The description length of deep
    learning models; Grünwald (2007), The Minimum Description Length Principle.
    """
    y = to_numpy("labels", labels)
    if y.ndim != 1 or len(y) < 1:
        refuse("labels", "have shape (n,), n at least 1", y.shape)
    rows = inputs.shape[0] if hasattr(inputs, "shape") else len(inputs)  # sparse: no len
    if rows != len(y):
        refuse("inputs", f"have {len(y)} rows, one for each label", rows)
    if y.dtype.kind == "f" and np.isnan(y).any():
        refuse("labels", "be classes", "nan", row=int(np.argmax(np.isnan(y))))
    classes, index = np.unique(y, return_inverse=True)
    n, c = len(y), len(classes)
    blocks = []
    for start, stop in _blocks(n, c, cuts):
        if start == 0:
            blocks.append(Block(0, stop, stop * math.log2(c)))
            continue
        _, q = _predict(model, inputs, y, start, _rows(inputs, start, stop), classes)
        blocks.append(Block(start, stop, _bits(q, index[start:stop])))
    fitted, q = _predict(model, inputs, y, n, inputs, classes)
    k = _parameters(fitted) if parameters is None else parameters
    return Prequential(
        bits=math.fsum(block.bits for block in blocks),
        blocks=tuple(blocks),
        uniform_bits=n * math.log2(c),
        labels_bits=frequency_bits(np.bincount(index, minlength=c)),
        two_part_bits=None if k is None else _bits(q, index) + k / 2 * math.log2(n),
        parameters=k,
    )


def _blocks(n: int, classes: int, cuts: Sequence[int] | None) -> list[tuple[int, int]]:
    if cuts is None:
        first = min(n, max(2 * classes, 8))
        inner = np.unique(np.geomspace(first, n, 11).astype(int))[:-1].tolist()
    else:
        inner = [operator.index(cut) for cut in cuts]
        bad = [b for a, b in zip([0, *inner], [*inner, n], strict=True) if a >= b]
        if bad:
            refuse("cuts", f"ascend between 0 and {n}", inner)
    edges = [0, *inner, n]
    return list(pairwise(edges))


def _rows(inputs: Any, start: int, stop: int) -> Any:
    return (inputs.iloc if hasattr(inputs, "iloc") else inputs)[start:stop]


def _predict(
    model: Any, inputs: Any, y: npt.NDArray[Any], t: int, ahead: Any, classes: npt.NDArray[Any]
) -> tuple[Any, Floats]:
    """Train on the first t rows, and give the mixed distributions of the rows of the next block."""
    seen = np.unique(y[:t])
    rows = ahead.shape[0] if hasattr(ahead, "shape") else len(ahead)
    q = np.zeros((rows, len(classes)))
    fitted = None
    if len(seen) == 1:  # most models refuse to be trained on one class
        q[:, np.searchsorted(classes, seen)] = 1.0
    else:
        fitted = copy.deepcopy(model)
        fitted.fit(_rows(inputs, 0, t), y[:t])
        given = np.asarray(fitted.predict_proba(ahead), np.float64)
        names = np.asarray(getattr(fitted, "classes_", seen))
        if given.shape != (rows, len(names)) or not np.isin(names, classes).all():
            refuse("model", f"predict {len(names)} known classes for each row", given.shape)
        bad = ~((given >= 0).all(axis=1) & (np.abs(given.sum(axis=1) - 1) < 1e-4))
        if bad.any():
            row = int(np.argmax(bad))
            refuse("model", "predict probabilities that sum to 1", given[row], row=row)
        q[:, np.searchsorted(classes, names)] = given / given.sum(axis=1, keepdims=True)
    return fitted, (t * q + 1 / len(classes)) / (t + 1)


def _bits(q: Floats, index: npt.NDArray[np.intp]) -> float:
    return -math.fsum(np.log2(q[np.arange(len(index)), index]))


def _parameters(fitted: Any) -> int | None:
    sizes = [
        np.size(getattr(fitted, name)) for name in ("coef_", "intercept_") if hasattr(fitted, name)
    ]
    return sum(sizes) if sizes else None
