"""A model as a coder: labels as bytes under its predictions, and back."""

from __future__ import annotations

import math
import zlib
from operator import index
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from plogq.codes import range_coder
from plogq.codes.code_length import CodeLength
from plogq.codes.container import pack, unpack, varint
from plogq.codes.errors import CodeError
from plogq.codes.quantised import MOST_CLASSES, Kind
from plogq.codes.rows import DIGEST_BYTES, Labels, RowQuantiser, as_labels
from plogq.errors import refuse
from plogq.formulas.units import from_nats
from plogq.kernels.arrays import to_numpy
from plogq.kernels.exact_sum import ExactSums

Impossible = Literal["refuse", "escape"]

TABLE, SHARED = b"m", b"s"
PIECE = 1 << 20  # labels
CODER_BITS = 96  # more than the state of a range coder holds


class ModelEncoder:
    """Codes labels under predictions, batch by batch; the split into batches changes no byte.

    Parameters
    ----------
    classes
        C, the number of classes.
    kind
        "probs"; or "logprobs" (natural) or "logits", of which the softmax is taken.
    shared
        One distribution for all rows, shape (C,): then `encode` takes only labels, and codes tens
        of millions of them a second.
    impossible
        What to do with a label of probability 0: "refuse" it with its row, or "escape" it, which
        costs 24 bits, and count it.

    Examples
    --------
    >>> q = np.array([[0.5, 0.5], [0.125, 0.875]])
    >>> encoder = ModelEncoder(2)
    >>> encoder.encode([1, 0], q)
    >>> data, length = encoder.finish()
    >>> length.exact_bits, round(length.quantised_bits, 4)
    (4.0, 4.0)
    >>> decoder = ModelDecoder(data)
    >>> decoder.decode(q)
    array([1, 0])
    >>> decoder.finish()

    References
    ----------
    Martin (1979), Range encoding; the coder is constriction's (Bamler 2022). That a model is worth
    as many bits as it saves: Shannon (1948), section 9.
    """

    def __init__(
        self,
        classes: int,
        *,
        kind: Kind = "probs",
        shared: npt.ArrayLike | None = None,
        impossible: Impossible = "refuse",
    ) -> None:
        if impossible not in ("refuse", "escape"):
            refuse("impossible", 'be "refuse" or "escape"', repr(impossible))
        self._rows = RowQuantiser(classes, kind, shared)
        self._impossible = impossible
        self._coder = range_coder.encoder()
        self._labels_crc = 0
        self._escaped = 0
        # The three sums: exact nats where q(label) > 0, quantised bits, nats of divergence.
        self._sums = ExactSums(3)

    @property
    def rows(self) -> int:
        """The number of labels that have been coded."""
        return self._rows.seen

    def encode(self, labels: npt.ArrayLike, predictions: npt.ArrayLike | None = None) -> None:
        """Code n labels under n rows of predictions, shape (n, C), or under the shared one.

        Raises
        ------
        ValueError, TypeError
            If a label is no class, a row is no distribution, or, with "refuse", a label has the
            probability 0. Nothing of the batch is coded then.
        """
        rows = self._rows
        y = as_labels(labels, rows.classes, rows.seen)
        given = rows.quantise(predictions, y)
        assert given.surprisal is not None
        impossible = np.isinf(given.surprisal)
        if impossible.any() and self._impossible == "refuse":
            row = int(np.argmax(impossible))
            expected = "have probability above 0 under the predictions"
            refuse("labels", expected, f"{y[row]} with 0", row=rows.seen + row)
        self._escaped += int(impossible.sum())
        for group, values in enumerate(
            (
                np.where(impossible, 0.0, given.surprisal),
                given.bits(y),
                given.divergence,
            )
        ):
            self._sums.add(values, np.full(len(values), group))
        if rows.classes > 1:
            self._coder.encode(y.astype(np.int32), *given.model)
        self._labels_crc = _crc(y, self._labels_crc)
        rows.advance(given, len(y))

    def finish(self) -> tuple[bytes, CodeLength]:
        """Give the framed code of all labels so far, and its length."""
        rows = self._rows
        payload = range_coder.to_bytes(self._coder)
        fields = (
            varint(rows.seen)
            + varint(rows.classes)
            + rows.digest()
            + self._labels_crc.to_bytes(4, "little")
        )
        data = pack(SHARED if rows.shared else TABLE, fields, payload)
        nats, bits, divergence = self._sums.values().tolist()
        if rows.shared:
            divergence = rows.seen * float(rows.quantise(None, None).divergence[0])
        exact = from_nats(nats, "bit")
        return data, CodeLength(
            rows=rows.seen,
            exact_bits=math.inf if self._escaped else exact,
            exact_bits_finite=exact,
            escaped_rows=self._escaped,
            quantised_bits=bits,
            quantisation_kl=from_nats(divergence, "bit") / max(1, rows.seen),
            payload_bytes=len(payload),
            bytes=len(data),
        )


class ModelDecoder:
    """Decodes the code of `ModelEncoder`, in order, with the very same predictions.

    The next predictions may depend on what has been decoded. Only `finish` can tell whether all
    predictions were the same; `decompress` of a whole table checks this before it gives a label.

    Parameters
    ----------
    data
        The bytes of `ModelEncoder.finish`.
    kind, shared
        As they were given to the encoder.

    Attributes
    ----------
    rows, classes
        The number of labels, and of classes.

    Raises
    ------
    CodeError
        If data is damaged, cut short or something else.
    """

    def __init__(
        self, data: bytes, *, kind: Kind = "probs", shared: npt.ArrayLike | None = None
    ) -> None:
        which, reader = unpack(data, TABLE + SHARED)
        if (which == SHARED) != (shared is not None):
            has = "one distribution for all rows" if which == SHARED else "predictions of each row"
            raise CodeError(f"data was coded under {has}")
        self.rows, self.classes = reader.varint(), reader.varint()
        self._digest = reader.take(DIGEST_BYTES)
        self._crc = int.from_bytes(reader.take(4), "little")
        payload = reader.rest()
        if not 1 <= self.classes <= MOST_CLASSES:
            raise CodeError("data is damaged: its fields do not fit together")
        if shared is not None:
            shared = to_numpy("shared", shared)
            self._check_classes(shared.size)
        self._state = RowQuantiser(self.classes, kind, shared)
        if shared is not None:
            self.check_digest(self._state.digest())
        self._labels_crc = 0
        self._bits, self._most_bits = 0.0, 8 * len(payload) + CODER_BITS
        if shared is not None and self.classes > 1:  # the least bits of all rows, checked at once
            self._check_end(self.rows * self._state.least_bits)
        self._coder = range_coder.decoder(payload)

    def decode(self, predictions: npt.ArrayLike | int) -> Labels:
        """Give the labels of the next n rows, of predictions (n, C), or of n if shared.

        Raises
        ------
        CodeError
            If there are other classes or more rows than in the data, or these predictions cannot
            have made the data.
        ValueError
            If a row is no distribution.
        """
        state = self._state
        if not state.shared:
            shape = np.shape(predictions)
            if len(shape) == 2:
                self._check_classes(shape[1])
            given = state.quantise(predictions, None)
            n = len(given.divergence)
        else:
            given, n = state.quantise(None, None), _rows(predictions)
        if n > self.rows - state.seen:
            raise CodeError(f"data holds {self.rows:,} labels, and more predictions were given")
        if self.classes == 1 or n == 0:
            labels = _zeros(n)
        else:
            family, *weights = given.model
            labels = range_coder.decode(self._coder, family, *(weights or [n]))
            self._bits += float(given.bits(labels).sum())
            self._check_end(self._bits)
        self._labels_crc = _crc(labels, self._labels_crc)
        state.advance(given, n)
        return labels

    def finish(self) -> None:
        """Check that all is decoded, and that predictions and labels are those of the encoder.

        Raises
        ------
        CodeError
            If rows are left, or predictions or labels differ.
        """
        seen = self._state.seen
        if seen != self.rows:
            raise CodeError(f"data holds {self.rows:,} labels, and {seen:,} were decoded")
        self.check_digest(self._state.digest())
        if self._labels_crc != self._crc:
            raise CodeError("data decoded to other labels than were coded: their checksum differs")

    def _check_end(self, bits: float) -> None:
        # A range decoder cannot see the end: past the data it reads zeros.
        if bits > self._most_bits:
            raise CodeError("data was not made with these predictions: it ends before they do")

    def _check_classes(self, classes: int) -> None:
        if classes != self.classes:
            raise CodeError(
                f"data holds labels of {self.classes:,} classes, and predictions of {classes:,} "
                "were given"
            )

    def check_digest(self, digest: bytes) -> None:
        """Refuse predictions whose digest is not that of the encoder's."""
        if digest != self._digest:
            raise CodeError(
                "data was made with other predictions: their digest differs (another model, "
                "other rows, or another order), and decoding would give garbage"
            )


def _rows(predictions: Any) -> int:
    expected = "be a number of rows, at least 0, for they are shared"
    try:
        n = index(predictions)
    except TypeError:
        refuse("predictions", expected, type(predictions), error=TypeError)
    if n < 0:
        refuse("predictions", expected, n)
    return n


def _zeros(n: int) -> Labels:
    try:
        return np.zeros(n, np.int64)
    except (MemoryError, ValueError) as error:
        raise CodeError(f"data holds {n:,} labels, more than there is memory for") from error


def _crc(labels: Labels, before: int) -> int:
    for start in range(0, len(labels), PIECE):  # in pieces: no copy of all labels
        before = zlib.crc32(labels[start : start + PIECE].astype("<u4").data, before)
    return before
