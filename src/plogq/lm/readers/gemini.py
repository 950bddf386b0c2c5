"""Gemini's `generateContent`: `logprobsResult`, named as in JSON or as in Python.

References
----------
Gemini API, `GenerateContentResponse` and `LogprobsResult`; Vertex AI answers alike.
"""

from __future__ import annotations

import re
from typing import Any

from plogq.lm.readers.response import (
    Passage,
    Response,
    Token,
    list_of,
    logprob_of,
    number_of,
    object_of,
    text_of,
)

NAME = "Gemini responses"
CAPITAL = re.compile(r"(?=[A-Z])")


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response."""
    found = record.get("candidates")
    return isinstance(found, list) and all(isinstance(x, dict) and "content" in x for x in found)


def read(record: dict[str, Any]) -> list[Response]:
    """Return the text of each candidate."""
    name = text_of(_field(record, "responseId"))
    return [
        Response(name, (Passage(_tokens(candidate), _text(candidate)),), 0)
        for candidate in record["candidates"]
    ]


def _tokens(candidate: dict[str, Any]) -> list[Token]:
    found = _field(candidate, "logprobsResult")
    if found is None:
        return []
    found = object_of(found, "logprobsResult")
    chosen = list_of(_field(found, "chosenCandidates") or [], "chosenCandidates")
    tops = _field(found, "topCandidates")
    tops = tops if isinstance(tops, list) and len(tops) == len(chosen) else [{}] * len(chosen)
    tokens = []
    for i, (given, top) in enumerate(zip(chosen, tops, strict=True)):
        entry = object_of(given, f"chosenCandidates[{i}]")
        logprob = logprob_of(_field(entry, "logProbability"), f"chosenCandidates[{i}]")
        where = f"topCandidates[{i}]"
        others = list_of(object_of(top, where).get("candidates") or [], f"{where}.candidates")
        values = [_field(x, "logProbability") for x in others if isinstance(x, dict)]
        likeliest = tuple(number_of(x, "topCandidates") for x in values if x is not None)
        tokens.append(Token(text_of(entry.get("token")), logprob, others=likeliest))
    return tokens


def _text(candidate: dict[str, Any]) -> str | None:
    """Return the text of the parts; None for a call of a function, whose text is not known."""
    content = candidate["content"]
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return None
    said = [text_of(part.get("text")) for part in parts if isinstance(part, dict)]
    texts = [text for text in said if text is not None]
    return "".join(texts) if texts and len(texts) == len(said) else None


def _field(record: dict[str, Any], name: str) -> Any:
    """Return a field by its name in JSON, or by the name that Python writes: logprobs_result."""
    return record.get(name, record.get(CAPITAL.sub("_", name).lower()))
