"""Text Generation Inference: `details.prefill` of the prompt, `details.tokens` of what was written.

References
----------
Hugging Face, text-generation-inference, `router/src/lib.rs` (`Details`, `Token`, `PrefillToken`).
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

NAME = "TGI responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response, or a part of a streamed one."""
    return "generated_text" in record


def read(record: dict[str, Any]) -> list[Response]:
    """Return the prompt with what was written after it, and with each of `best_of_sequences`."""
    details = record.get("details")
    details = {} if details is None else object_of(details, "details")
    more = list_of(details.get("best_of_sequences") or [], "details.best_of_sequences")
    found = [_response(details, record.get("generated_text"))]
    for i, other in enumerate(more):
        other = object_of(other, f"details.best_of_sequences[{i}]")
        found.append(_response(other, other.get("generated_text")))
    return found


def _response(details: dict[str, Any], text: Any) -> Response:
    prompt = Passage(_tokens(details, "prefill"), None)
    tokens = _tokens(details, "tokens")
    joined = "".join(token.name or "" for token in tokens if token.raw is None)
    if isinstance(text, str) and text.endswith(joined):
        text = joined  # without the prompt, which return_full_text puts before it
    return Response(None, (prompt, Passage(tokens, text_of(text))), len(prompt.tokens))


def _tokens(details: dict[str, Any], key: str) -> list[Token]:
    tokens = []
    for i, entry in enumerate(list_of(details.get(key) or [], f"details.{key}")):
        where = f"details.{key}[{i}]"
        entry = object_of(entry, where)
        raw = b"" if entry.get("special") is True else None
        logprob = logprob_of(entry.get("logprob"), f"{where}.logprob")
        tokens.append(Token(text_of(entry.get("text")), logprob, raw))
    return tokens
