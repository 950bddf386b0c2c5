"""The known writers of logs of token logprobs: the only list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from plogq.lm.readers import (
    cohere,
    gemini,
    harness,
    llama_cpp,
    ollama,
    openai,
    openai_responses,
    sglang,
    streams,
    tgi,
    vllm,
)
from plogq.lm.readers.scored import Scored, Section, score_parts


class Writer(NamedTuple):
    """A writer: how its records are recognised, read, and joined where they come in parts."""

    name: str
    recognises: Callable[[dict[str, Any]], bool]
    read: Callable[[dict[str, Any], Section | None, str | None], list[Scored]]
    stream: streams.Stream | None = None


def _of(module: Any, stream: streams.Stream | None = None) -> Writer:
    def read(record: dict[str, Any], part: Section | None, name: str | None) -> list[Scored]:
        return score_parts(module.read(record), part, name)

    return Writer(module.NAME, module.recognises, read, stream)


HARNESS = Writer(
    harness.NAME, harness.recognises, lambda record, part, name: [harness.read(record)]
)
WRITERS = (
    HARNESS,
    _of(vllm),
    _of(openai_responses),
    _of(openai, streams.OPENAI),
    _of(sglang),
    _of(tgi, streams.TGI),
    _of(llama_cpp, streams.LLAMA_CPP),
    _of(ollama, streams.OLLAMA),
    _of(gemini),
    _of(cohere),
)


def writer_of(record: dict[str, Any]) -> Writer | None:
    """Return the writer of a record; None for an unknown one."""
    return next((writer for writer in WRITERS if writer.recognises(record)), None)
