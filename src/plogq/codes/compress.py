"""Labels coded under a model, to bytes and back in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from plogq.codes.code_length import CodeLength
from plogq.codes.errors import CodeError
from plogq.codes.model import ModelDecoder, ModelEncoder
from plogq.codes.quantised import Kind
from plogq.codes.rows import Labels, RowQuantiser
from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

Adaptive = Callable[[Labels], npt.ArrayLike]
BLOCK = 1 << 20  # numbers in a block


def compress(
    labels: npt.ArrayLike,
    probs: npt.ArrayLike | Adaptive,
    *,
    kind: Kind = "probs",
    impossible: Literal["refuse", "escape"] = "refuse",
) -> tuple[bytes, CodeLength]:
    """Code labels under a model, in about Σ −log₂ q(label) bits.

    Parameters
    ----------
    labels
        y, integers of shape (n,) in [0, C).
    probs
        q: shape (n, C), a row for each label; or (C,), one for all; or a function that takes the
        labels so far, shape (i,), and gives the distribution of the next, shape (C,).
    kind, impossible
        As for `ModelEncoder`.

    Returns
    -------
    bytes, CodeLength
        The code for `decompress`, and its length.

    Raises
    ------
    ValueError, TypeError
        As `ModelEncoder.encode`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> q = rng.dirichlet(np.ones(4), size=1000)
    >>> y = np.array([rng.choice(4, p=row) for row in q])
    >>> data, length = compress(y, q)
    >>> round(length.exact_bits), len(data)
    (1528, 215)
    >>> bool((decompress(data, q) == y).all())
    True
    >>> decompress(data, q[::-1])
    Traceback (most recent call last):
        ...
    plogq.codes.errors.CodeError: data was made with other predictions: ...

    An adaptive model, here Laplace's rule, needs no table:

    >>> def laplace(past):
    ...     return (np.bincount(past, minlength=2) + 1) / (len(past) + 2)
    >>> data, length = compress([1, 1, 1, 0, 1, 1, 1, 1], laplace)
    >>> decompress(data, laplace)
    array([1, 1, 1, 0, 1, 1, 1, 1])

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, section 13.3 (arithmetic coding).
    """
    index = to_numpy("labels", labels)
    if index.ndim != 1 or (index.dtype.kind not in "iu" and index.size):
        refuse("labels", "be integers of shape (n,)", f"{index.dtype} of shape {index.shape}")
    if callable(probs):
        return _compress_adaptive(index, probs, kind, impossible)
    x = to_numpy("probs", probs)
    if x.ndim == 1:
        encoder = ModelEncoder(len(x), kind=kind, shared=x, impossible=impossible)
        for part in _blocks(len(index), 1):
            encoder.encode(index[part])
        return encoder.finish()
    if x.ndim != 2 or len(x) != len(index):
        refuse("probs", f"have shape ({len(index)}, classes) or (classes,)", x.shape)
    encoder = ModelEncoder(x.shape[1], kind=kind, impossible=impossible)
    for part in _blocks(len(index), x.shape[1]):
        encoder.encode(index[part], x[part])
    return encoder.finish()


def decompress(data: bytes, probs: npt.ArrayLike | Adaptive, *, kind: Kind = "probs") -> Labels:
    """Give the labels that `compress` coded, from the code and the same model.

    Parameters
    ----------
    data
        The bytes of `compress`.
    probs, kind
        As they were given to `compress`.

    Returns
    -------
    ndarray of int64, shape (n,)
        The labels that were coded, and never others.

    Raises
    ------
    CodeError
        If data is damaged, cut short or something else, or was made with other predictions.

    Examples
    --------
    >>> data, _ = compress([0, 2, 1], [0.5, 0.25, 0.25])
    >>> decompress(data, [0.5, 0.25, 0.25])
    array([0, 2, 1])
    >>> decompress(data[:-1], [0.5, 0.25, 0.25])
    Traceback (most recent call last):
        ...
    plogq.codes.errors.CodeError: data is damaged or cut short: its checksum does not fit
    """
    if callable(probs):
        return _decompress_adaptive(data, probs, kind)
    x = to_numpy("probs", probs)
    if x.ndim == 1:
        decoder = ModelDecoder(data, kind=kind, shared=x)
        if decoder.classes == 1:
            parts = [decoder.decode(decoder.rows)]
        else:
            parts = [decoder.decode(part.stop - part.start) for part in _blocks(decoder.rows, 1)]
    else:
        decoder = ModelDecoder(data, kind=kind)
        if x.shape != (decoder.rows, decoder.classes):
            raise CodeError(
                f"data holds {decoder.rows:,} labels of {decoder.classes:,} classes, and "
                f"predictions of shape {x.shape} were given"
            )
        # All rows are checked before the first label is decoded.
        check = RowQuantiser(decoder.classes, kind, None)
        for part in _blocks(decoder.rows, decoder.classes):
            check.advance(check.quantise(x[part], None), part.stop - part.start)
        decoder.check_digest(check.digest())
        parts = [decoder.decode(x[part]) for part in _blocks(decoder.rows, decoder.classes)]
    decoder.finish()
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])


def _compress_adaptive(
    labels: npt.NDArray[Any], model: Adaptive, kind: Kind, impossible: Literal["refuse", "escape"]
) -> tuple[bytes, CodeLength]:
    encoder = None
    known = labels.astype(np.int64)
    for i in range(len(labels)):
        row = _next(model, known[:i])
        encoder = encoder or ModelEncoder(row.shape[1], kind=kind, impossible=impossible)
        encoder.encode(labels[i : i + 1], row)
    return (encoder or ModelEncoder(1, kind=kind)).finish()


def _decompress_adaptive(data: bytes, model: Adaptive, kind: Kind) -> Labels:
    decoder = ModelDecoder(data, kind=kind)
    # The array grows with the labels, since the count in an unknown file may be wrong.
    labels = np.empty(64, np.int64)
    for i in range(decoder.rows):
        if i == len(labels):
            labels = np.resize(labels, 2 * i)
        labels[i : i + 1] = decoder.decode(_next(model, labels[:i]))
    decoder.finish()
    return labels[: decoder.rows].copy()


def _next(model: Adaptive, past: Labels) -> npt.NDArray[Any]:
    past = past.view()
    past.flags.writeable = False  # the model must not change the labels
    row = to_numpy("probs", model(past))
    if row.ndim != 1:
        refuse("probs", "give a distribution of shape (classes,)", row.shape, row=len(past))
    return row[None]


def _blocks(rows: int, classes: int) -> Iterator[slice]:
    size = max(1, BLOCK // classes)
    for first in range(0, rows, size):
        yield slice(first, min(rows, first + size))
