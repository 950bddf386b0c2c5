"""Cohere's chat: `logprobs`, a list of pieces of text with the logprobs of their tokens.

References
----------
Cohere API, `v2/chat`: `message.content`, `logprobs[]` (`text`, `token_ids`, `logprobs`).
"""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.response import (
    Passage,
    Response,
    Token,
    list_of,
    logprob_of,
    object_of,
    text_of,
)

NAME = "Cohere responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response with logprobs."""
    pieces = record.get("logprobs")
    return isinstance(pieces, list) and all(
        isinstance(piece, dict) and {"token_ids", "logprobs"} <= piece.keys() for piece in pieces
    )


def read(record: dict[str, Any]) -> list[Response]:
    """Return what was written."""
    tokens = []
    for i, piece in enumerate(record["logprobs"]):
        values = list_of(piece["logprobs"], f"logprobs[{i}].logprobs")
        name = text_of(piece.get("text")) if len(values) == 1 else None
        tokens += [Token(name, logprob_of(x, f"logprobs[{i}].logprobs")) for x in values]
    return [Response(text_of(record.get("id")), (Passage(tokens, _text(record)),), 0)]


def _text(record: dict[str, Any]) -> str | None:
    """Return the text of the message; None for a call of a tool, whose text is not known."""
    message = object_of(record.get("message", {}), "message")
    content = message.get("content")
    if message.get("tool_calls") or not isinstance(content, list):
        return None
    texts = [text_of(part.get("text")) for part in content if isinstance(part, dict)]
    known = [text for text in texts if text is not None]
    return "".join(known) if known and len(known) == len(content) else None
