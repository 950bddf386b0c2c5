"""Ollama's own `/api/generate` and `/api/chat`: `logprobs`, in the layout of OpenAI's chat.

References
----------
Ollama, `docs/api.md` and `api/types.go` (`Logprob`, `GenerateResponse`, `ChatResponse`).
"""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.response import Passage, Response, chat_token, list_of

NAME = "Ollama responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response, or a part of a streamed one."""
    return "done" in record and ("response" in record or "message" in record)


def read(record: dict[str, Any]) -> list[Response]:
    """Return what was written."""
    tokens = [
        chat_token(entry, f"logprobs[{i}]")
        for i, entry in enumerate(list_of(record.get("logprobs") or [], "logprobs"))
    ]
    thought, text = texts(record)
    return [Response(None, (Passage(tokens, thought + text),), 0)]


def texts(record: dict[str, Any]) -> tuple[str, str]:
    """Return the text of a response's thinking, and that of its answer."""
    message = record.get("message")
    held = message if isinstance(message, dict) else record
    thought, text = held.get("thinking"), held.get("response", held.get("content"))
    return (thought if isinstance(thought, str) else "", text if isinstance(text, str) else "")
