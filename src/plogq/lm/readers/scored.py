"""A text with the logprobs of its tokens, as one JSON line gives it, and how long it is."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

REPLACEMENT = "\ufffd"  # what decoding puts where a token is only a part of a character


class LineError(ValueError):
    """What is wrong with a line; the reader says which line it is."""


class Token(NamedTuple):
    """A token: its text, log q or None, and its own bytes where the text cannot hold them."""

    text: str
    logprob: float | None
    raw: bytes | None = None


class Scored(NamedTuple):
    """A document: log q of each token, None for a first token without."""

    name: str | None
    logprobs: list[float | None]
    texts: list[str] | None  # of the tokens
    counts: dict[str, int | None]  # of what was scored; None where it is not known
    unscored_bytes: int = 0


def logprob_of(value: Any, where: str) -> float | None:
    """Read a logprob, or null."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise LineError(f"{where} must be a number or null; got {value!r:.40}")
    return None if value is None else float(value)


def measured(name: str | None, tokens: list[Token], text: str | None) -> Scored:
    """Count the words, characters and bytes of the scored tokens.

    `text` is all that the tokens spell, where it is known. It settles what tokens leave open: end
    marks that are tokens but no text, and characters of several tokens, each of which then reads
    U+FFFD.
    """
    texts = [token.text for token in tokens]
    logprobs = [token.logprob for token in tokens]
    pieces = [_bytes(token.text) if token.raw is None else token.raw for token in tokens]
    counts: dict[str, int | None] = {"token": sum(x is not None for x in logprobs)}
    if text is not None and _bytes(text) in b"".join(pieces):
        pieces = _inside(pieces, _bytes(text))
    elif text is not None and None not in logprobs[1:]:
        # A first token without logprob is not scored; an opening mark is no part of the text.
        first = texts[0] if logprobs[0] is None and text.startswith(texts[0]) else ""
        pieces = [_bytes(first), _bytes(text.removeprefix(first))]
        logprobs = [None, 0.0]
    elif any(token.raw is None and REPLACEMENT in token.text for token in tokens):
        words = "".join(t.text for t in tokens if t.logprob is not None).split()
        counts |= {"word": len(words), "character": None, "byte": None}
        return Scored(name, logprobs, texts, counts)
    data = b"".join(p for p, x in zip(pieces, logprobs, strict=True) if x is not None)
    counts |= {
        "word": len(data.decode("utf-8", "replace").split()),
        "character": sum((byte & 0xC0) != 0x80 for byte in data),
        "byte": len(data),
    }
    unscored = sum(map(len, pieces)) - len(data)
    return Scored(name, [token.logprob for token in tokens], texts, counts, unscored)


def _inside(pieces: list[bytes], text: bytes) -> list[bytes]:
    """Cut the pieces to what of them is in the text."""
    at = -b"".join(pieces).index(text)
    cut = []
    for piece in pieces:
        end = at + len(piece)
        cut.append(piece[max(0, -at) : max(0, len(piece) - max(0, end - len(text)))])
        at = end
    return cut


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def finite_or_impossible(logprob: float | None, least: float) -> float | None:
    """Read a server's stand-in for log 0, which JSON cannot hold, as what it stands for."""
    return -math.inf if logprob is not None and logprob <= least else logprob
