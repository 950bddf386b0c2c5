"""llama.cpp's own `/completion`: `completion_probabilities`, of newer and of older servers.

References
----------
ggml-org, llama.cpp, `tools/server/README.md` (n_probs, post_sampling_probs). Servers before the end
of 2024 list {content, probs: [{tok_str, prob}]}: the token is one of them.
"""

from __future__ import annotations

import math
from typing import Any

from plogq.lm.readers.response import (
    Passage,
    RecordError,
    Response,
    Token,
    chat_token,
    list_of,
    number_of,
    object_of,
    text_of,
)

NAME = "llama.cpp responses"
FIELDS = ("completion_probabilities", "probs")


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response, or a part of a streamed one."""
    return "content" in record and ("stop" in record or any(key in record for key in FIELDS))


def read(record: dict[str, Any]) -> list[Response]:
    """Return what was written."""
    key = next((key for key in FIELDS if record.get(key) is not None), FIELDS[0])
    tokens = [
        _token(object_of(entry, f"{key}[{i}]"), f"{key}[{i}]")
        for i, entry in enumerate(list_of(record.get(key) or [], key))
    ]
    sampled = any("logprob" not in entry for entry in record.get(key) or [])
    remark = "probabilities are those of the sampler, not of the model" if sampled else None
    return [Response(None, (Passage(tokens, text_of(record["content"])),), 0, remark=remark)]


def _token(entry: dict[str, Any], where: str) -> Token:
    if "logprob" in entry:
        return chat_token(entry, where)
    if "prob" in entry:
        token = chat_token(entry, where)
        return token._replace(logprob=_log(entry["prob"], where))
    name = text_of(entry.get("content"))
    likely = [object_of(x, where) for x in list_of(entry.get("probs"), f"{where}.probs")]
    own = {x.get("prob") for x in likely if x.get("tok_str", x.get("tok")) == name}
    if name is None or len(own) != 1:
        raise RecordError(
            f"{where}.probs must hold the token that was written once; got {len(own)} of "
            f"{name!r:.40} (ask for more n_probs, or a newer server)"
        )
    return Token(name, _log(own.pop(), where))


def _log(value: Any, where: str) -> float:
    probability = number_of(value, f"{where}.prob")
    if not 0 <= probability <= 1 + 1e-4:
        raise RecordError(f"{where}.prob must be a probability; got {probability}")
    return math.log(probability) if probability else -math.inf
