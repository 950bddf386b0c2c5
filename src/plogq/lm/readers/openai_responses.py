"""OpenAI's Responses API: `output[].content[].logprobs`, asked for with `include`."""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.response import Passage, Response, chat_token, list_of, object_of, text_of

NAME = "OpenAI Responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response."""
    return record.get("object") == "response" and "output" in record


def read(record: dict[str, Any]) -> list[Response]:
    """Return what the model wrote, as one text."""
    passages = []
    for i, item in enumerate(list_of(record["output"], "output")):
        content = object_of(item, f"output[{i}]").get("content")
        for j, piece in enumerate(content if isinstance(content, list) else []):
            where = f"output[{i}].content[{j}]"
            piece = object_of(piece, where)
            logprobs = piece.get("logprobs")
            if logprobs:
                tokens = [
                    chat_token(entry, f"{where}.logprobs[{k}]")
                    for k, entry in enumerate(list_of(logprobs, f"{where}.logprobs"))
                ]
                passages.append(Passage(tokens, text_of(piece.get("text"))))
    name = record.get("id")
    return [Response(None if name is None else str(name), tuple(passages), 0)]
