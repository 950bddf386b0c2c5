"""What a server's answer holds: the tokens of a text, their logprobs, and the text."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

# JSON has no −inf. vLLM writes −9999.0 for log 0, llama.cpp the lowest number there is.
LOG_ZERO = -9999.0


class RecordError(ValueError):
    """What is wrong with a record; the reader says where it is."""


class Token(NamedTuple):
    """A token: its name, log q or None, its own bytes, and logprobs of other likely tokens."""

    name: str | None  # None where only its number is known
    logprob: float | None
    raw: bytes | None = None  # b"" for a mark, which according to the server is no text
    others: tuple[float, ...] = ()  # logprobs of the tokens that were likeliest at its place


class Passage(NamedTuple):
    """Tokens in their order, and the text that they spell, where the record has it.

    Attributes
    ----------
    offsets
        Where in the text each token begins, in characters, as a server says; it may be wrong.
    """

    tokens: list[Token]
    text: str | None
    offsets: list[Any] | None = None


class Response(NamedTuple):
    """A prompt and what the model wrote after it.

    Attributes
    ----------
    name
        The name that the record has for itself or for the request.
    passages
        The tokens with their logprobs, in order.
    end
        How many of the tokens are the prompt's; None where it is not known.
    doubt
        Why `end` may be another number, where it may.
    remark
        A warning on its logprobs, where there is one.
    """

    name: str | None
    passages: tuple[Passage, ...]
    end: int | None
    doubt: str | None = None
    remark: str | None = None


def logprob_of(value: Any, where: str) -> float | None:
    """Return a logprob, or None for null; a number that stands for log 0 becomes −inf."""
    if value is None:
        return None
    number = number_of(value, where)
    return -math.inf if number <= LOG_ZERO else number


def number_of(value: Any, where: str) -> float:
    """Return a number as a float; refuse anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RecordError(f"{where} must be a number or null; got {value!r:.40}")
    try:
        return float(value)
    except OverflowError:
        raise RecordError(f"{where} must be a number; got one beyond all floats") from None


def object_of(value: Any, where: str) -> dict[str, Any]:
    """Return a value that is an object; refuse any other."""
    if not isinstance(value, dict):
        raise RecordError(f"{where} must be an object; got {value!r:.40}")
    return value


def list_of(value: Any, where: str) -> list[Any]:
    """Return a value that is a list; refuse any other."""
    if not isinstance(value, list):
        raise RecordError(f"{where} must be a list; got {value!r:.40}")
    return value


def text_of(value: Any) -> str | None:
    """Return a text, or None for anything else."""
    return value if isinstance(value, str) else None


def count_of(value: Any) -> int | None:
    """Return a whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def chat_token(entry: Any, where: str) -> Token:
    """Return the token of {token, logprob, bytes, top_logprobs}, as most servers write it."""
    entry = object_of(entry, where)
    name = text_of(entry.get("token"))
    raw = None
    given = entry.get("bytes")
    if given is not None:
        try:
            raw = bytes(list_of(given, f"{where}.bytes"))
        except (TypeError, ValueError):
            raise RecordError(f"{where}.bytes must list bytes; got {given!r:.40}") from None
    # Where a token is a part of a character, a server may give the bytes of U+FFFD for it.
    if name is not None and raw == name.encode("utf-8", "replace"):
        raw = None
    return Token(name, logprob_of(entry.get("logprob"), f"{where}.logprob"), raw, top(entry, where))


def top(entry: dict[str, Any], where: str) -> tuple[float, ...]:
    """Return the logprobs of the likeliest tokens, where they are given."""
    found = entry.get("top_logprobs")
    if not isinstance(found, list):
        return ()
    values = [item.get("logprob") if isinstance(item, dict) else None for item in found]
    return tuple(number_of(x, f"{where}.top_logprobs") for x in values if x is not None)
