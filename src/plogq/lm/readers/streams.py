"""Streamed responses come in parts, which are joined to the response as sent without streaming.

A part is recognised by its fields, and parts with the id of one response belong together. Parts
without an id belong to the response that is not yet complete.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from plogq.lm.readers import ollama
from plogq.tables.json_records import Record

Object = dict[str, Any]


class Stream(NamedTuple):
    """How one server streams.

    Attributes
    ----------
    is_part
        Whether a record is a part that is not the last.
    key
        What all parts of a response have in common.
    is_over
        Whether, after these parts, none is to come but counts.
    join
        One response made of the parts.
    is_counts
        Whether a part only has counts; it may come after all others.
    """

    is_part: Callable[[Object], bool]
    key: Callable[[Object], Hashable]
    is_over: Callable[[list[Object]], bool]
    join: Callable[[list[Object]], Object]
    is_counts: Callable[[Object], bool] = lambda x: False


def join_streams(records: Iterable[Record], stream: Stream) -> Iterator[Record]:
    """Yield whole responses; one that came in parts, when its last part has come."""
    parts: dict[Hashable, list[Record]] = {}
    over: dict[Hashable, None] = {}  # keys of responses of which no part is to come
    for record in records:
        value = record.value
        if value is None:
            yield from (_joined(held, stream) for held in parts.values())
            parts.clear()
            over.clear()
            continue
        key = stream.key(value)
        if stream.is_counts(value):
            if key in parts:
                parts[key].append(record)
            continue
        mine = stream.is_part(value) or key in parts
        if key is None and key in parts and _begins(value):
            over[key] = None
        for name in [name for name in over if name is None or name != key]:
            yield _joined(parts.pop(name), stream)
            del over[name]
        if not mine:
            yield record
            continue
        parts.setdefault(key, []).append(record)
        over.pop(key, None)
        if stream.is_over([value]) and stream.is_over(_values(parts[key])):
            over[key] = None
    for held in parts.values():
        yield _joined(held, stream)


def _values(held: list[Record]) -> list[Object]:
    return [record.value for record in held if record.value is not None]


def _joined(held: list[Record], stream: Stream) -> Record:
    first, last = held[0], held[-1]
    where = f"{first.where}{f' to {last.where}' if len(held) > 1 else ''}, a stream"
    custom = {k: v for x in _values(held) for k, v in x.items() if k == "custom_id"}
    return Record(first.path, where, stream.join(_values(held)) | custom)


def _begins(part: Object) -> bool:
    """Return whether a part is the first of a chat: it has a role, and no text yet."""
    deltas = [choice.get("delta") for choice in _choices(part)]
    found = [delta for delta in deltas if isinstance(delta, dict)]
    return any(delta.get("role") and not delta.get("content") for delta in found)


def _choices(record: Object) -> list[Object]:
    choices = record.get("choices")
    found = choices if isinstance(choices, list) else []
    return [choice for choice in found if isinstance(choice, dict)]


def _openai_part(record: Object) -> bool:
    choices = _choices(record)
    if str(record.get("object")).endswith(".chunk") or any("delta" in c for c in choices):
        return True
    return bool(choices) and all(c.get("finish_reason", "") is None for c in choices)


def _openai_counts(record: Object) -> bool:
    return str(record.get("object")).endswith(".chunk") and record.get("choices") == []


def _openai_over(parts: list[Object]) -> bool:
    ends = {str(c.get("index")): c.get("finish_reason") for part in parts for c in _choices(part)}
    return None not in ends.values()


def _openai_joined(parts: list[Object]) -> Object:
    kept = ("id", "object", "usage", "prompt_logprobs", "prompt_token_ids")
    whole: Object = {k: v for part in parts for k, v in part.items() if k in kept and v is not None}
    by_index: dict[Any, list[Object]] = {}
    for part in parts:
        for choice in _choices(part):
            by_index.setdefault(str(choice.get("index")), []).append(choice)
    return whole | {"choices": [_openai_choice(held) for held in by_index.values()]}


def _openai_choice(parts: list[Object]) -> Object:
    whole: Object = {}
    for part in parts:
        delta = part.get("delta")
        if isinstance(delta, dict):
            _append(whole.setdefault("message", {}), delta)
        rest = {k: v for k, v in part.items() if k in ("text", "logprobs")}
        _append(whole, rest)
        kept = ("prompt_logprobs", "prompt_token_ids")
        whole |= {k: v for k, v in part.items() if k in kept and v is not None}
    return whole


def _append(whole: Object, part: Object) -> None:
    """Append texts to texts, lists to lists, and objects field by field; the rest is replaced."""
    for key, value in part.items():
        held = whole.get(key)
        if isinstance(value, dict):
            whole[key] = dict(held) if isinstance(held, dict) else {}
            _append(whole[key], value)
        elif isinstance(held, str | list) and type(held) is type(value) and key != "role":
            whole[key] += value
        elif value is not None or key not in whole:
            whole[key] = value


def _ollama_joined(parts: list[Object]) -> Object:
    thoughts, said = zip(*map(ollama.texts, parts), strict=True)
    lists = [part["logprobs"] for part in parts if isinstance(part.get("logprobs"), list)]
    return {
        "thinking": "".join(thoughts),
        "response": "".join(said),
        "done": True,
        "logprobs": [entry for entries in lists for entry in entries],
    }


def _llama_cpp_joined(parts: list[Object]) -> Object:
    key = "completion_probabilities"
    lists = [part[key] for part in parts if isinstance(part.get(key), list)]
    text = "".join(str(part.get("content", "")) for part in parts)
    return {"content": text, "stop": True, key: [entry for held in lists for entry in held]}


def _tgi_joined(parts: list[Object]) -> Object:
    details = parts[-1].get("details")
    tokens = [part.get("token") for part in parts]
    held = details if isinstance(details, dict) else {}
    return {"generated_text": parts[-1].get("generated_text"), "details": held | {"tokens": tokens}}


OPENAI = Stream(
    _openai_part,
    lambda x: _hashable(x.get("id")),
    _openai_over,
    _openai_joined,
    _openai_counts,
)
OLLAMA = Stream(
    lambda x: x.get("done") is False,
    lambda x: None,
    lambda parts: parts[-1].get("done") is True,
    _ollama_joined,
)
LLAMA_CPP = Stream(
    lambda x: x.get("stop") is False,
    lambda x: _hashable(x.get("id_slot", x.get("slot_id"))),
    lambda parts: parts[-1].get("stop") is True,
    _llama_cpp_joined,
)
TGI = Stream(
    lambda x: "token" in x,
    lambda x: None,
    lambda parts: parts[-1].get("generated_text") is not None,
    _tgi_joined,
)


def _hashable(key: Any) -> Hashable:
    return key if isinstance(key, (str, int)) else None
