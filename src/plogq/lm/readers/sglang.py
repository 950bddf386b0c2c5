"""SGLang's own `/generate`: [logprob, token id, text] of each token, in `meta_info`.

References
----------
SGLang, `python/sglang/srt/managers/tokenizer_manager.py` (`convert_logprob_style`): the text is
null unless `return_text_in_logprobs` asks for it.
"""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.response import (
    Passage,
    RecordError,
    Response,
    Token,
    list_of,
    logprob_of,
    text_of,
)

NAME = "SGLang responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response."""
    return isinstance(record.get("meta_info"), dict)


def read(record: dict[str, Any]) -> list[Response]:
    """Return the prompt and what was written after it."""
    info = record["meta_info"]
    if info.get("finish_reason", "") is None:
        raise RecordError("is a part of a stream (finish_reason is null): keep the last part alone")
    prompt = Passage(_tokens(info, "input"), None)
    written = Passage(_tokens(info, "output"), text_of(record.get("text")))
    name = info.get("id")
    return [Response(None if name is None else str(name), (prompt, written), len(prompt.tokens))]


def _tokens(info: dict[str, Any], which: str) -> list[Token]:
    key = f"{which}_token_logprobs"
    tops = info.get(f"{which}_top_logprobs")
    tokens = []
    for i, entry in enumerate(list_of(info.get(key) or [], key)):
        where = f"{key}[{i}]"
        entry = list_of(entry, where)
        if len(entry) < 2:
            raise RecordError(f"{where} must be [logprob, token id, text]; got {entry!r:.40}")
        name = text_of(entry[2]) if len(entry) > 2 else None
        others = tops[i] if isinstance(tops, list) and i < len(tops) else None
        likely = [list_of(x, where)[:1] for x in others] if isinstance(others, list) else []
        values = [logprob_of(x[0], where) for x in likely if x]
        tokens.append(
            Token(
                name,
                logprob_of(entry[0], where),
                others=tuple(x for x in values if x is not None),
            )
        )
    return tokens
