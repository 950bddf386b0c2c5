"""constriction's range coder, with integers as weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.codes.errors import CodeError
from plogq.extras import needed_by

WORD = np.dtype("<u4")

# constriction gets w − 1, where the weights w sum to 2²⁴. It adds 1 to each class and scales the
# rest to 2²⁴ − C, which is their sum already. So it codes with exactly w, and every sum on the way
# is an integer that float32 holds.


def family() -> Any:
    """Give the model that takes a row of weights for each symbol."""
    return _stream().model.Categorical(perfect=False)


def categorical(weights: npt.NDArray[np.float32]) -> Any:
    """Give the model of one row of weights."""
    return _stream().model.Categorical(weights, perfect=False)


def encoder() -> Any:
    """Give a new encoder."""
    return _stream().queue.RangeEncoder()


def to_bytes(encoder: Any) -> bytes:
    """Give the encoded bytes."""
    words: bytes = encoder.get_compressed().astype(WORD, copy=False).tobytes()
    return words


def decoder(payload: bytes) -> Any:
    """Give a decoder of the payload."""
    if len(payload) % WORD.itemsize:
        raise CodeError("data is damaged: its fields do not fit together")
    return _stream().queue.RangeDecoder(np.frombuffer(payload, WORD).astype(np.uint32))


def decode(decoder: Any, *model: Any) -> npt.NDArray[np.int64]:
    """Decode symbols of a model, or of a family and rows."""
    try:
        symbols: npt.NDArray[np.int64] = decoder.decode(*model).astype(np.int64)
    except AssertionError as error:  # raised by constriction: no symbol has this code
        raise CodeError("data was not made with these predictions") from error
    return symbols


def _stream() -> Any:
    with needed_by("coding with a model"):
        import constriction
    return constriction.stream
