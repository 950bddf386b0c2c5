"""JSON lines, a document or a response each, of whichever known writer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, Literal

import numpy as np

from plogq.errors import TableError
from plogq.kernels.exact_sum import ExactSums
from plogq.lm.documents import (
    UNKNOWN,
    Block,
    Documents,
    Names,
    Tokens,
    came_back,
    surprisals,
    wrong_logprobs,
)
from plogq.lm.readers.harness import is_sample, read_sample
from plogq.lm.readers.openai import Section, is_response, read_response
from plogq.lm.readers.scored import LineError, Scored
from plogq.tables.filesystems import find_filesystem
from plogq.tables.readers import reading

ENDINGS = tuple(
    name + compressed
    for name in (".jsonl", ".ndjson")
    for compressed in ("", ".gz", ".bz2", ".zst")
)
READ_BYTES = 4 << 20
BLOCK_TOKENS = 65_536
Writer = Literal["OpenAI response", "lm-evaluation-harness sample"]


class JsonLines:
    """A file of JSON lines.

    Parameters
    ----------
    path
        The file or URI, compressed by its ending.
    part
        Of responses with logprobs of both: "prompt", "completion" or "all"; None refuses them.
    """

    rows: int | None = None

    def __init__(self, path: str, part: Section | None) -> None:
        self._path = path
        self._part = part
        first = next(self._lines(), None)
        if first is None:
            raise TableError(f"{path}: no tokens to score")
        self._writer = self._known(*first)
        if self._writer != "OpenAI response" and part is not None:
            raise TableError(f"{path}: --part is for responses, and this is no file of responses")
        self.origin = {"paths": [path], "format": f"JSON lines, {self._writer}", "columns": {}}

    def blocks(self) -> Iterator[Block]:
        """Stream the documents."""
        held: list[Scored] = []
        tokens, done = 0, 0
        known = Names()
        for number, line in self._lines():
            for scored in self._read(number, line):
                name = f"line {number}" if scored.name is None else scored.name
                if not known.add(name):
                    raise came_back(f"{self._path}: line {number}", name)
                held.append(scored._replace(name=name))
                tokens += len(scored.logprobs)
            done = number
            if tokens >= BLOCK_TOKENS:
                yield _block(held, done)
                held, tokens = [], 0
        if held:
            yield _block(held, done)

    def _read(self, number: int, line: dict[str, Any]) -> list[Scored]:
        writer = self._known(number, line)
        if writer != self._writer:
            raise self._error(number, f"is an {writer}; the first line is an {self._writer}")
        try:
            found = (
                read_response(line, self._part)
                if writer == "OpenAI response"
                else [read_sample(line)]
            )
        except LineError as error:
            raise self._error(number, str(error)) from None
        for scored in found:
            values = np.array([np.nan if x is None else x for x in scored.logprobs])
            missing = np.array([x is None for x in scored.logprobs])
            bad, expected = wrong_logprobs(values)
            if (bad & ~missing).any():
                i = int(np.argmax(bad & ~missing))
                raise self._error(number, f"logprob {i} must {expected}; got {values[i]}")
        return found

    def _known(self, number: int, line: dict[str, Any]) -> Writer:
        if is_response(line):
            return "OpenAI response"
        if is_sample(line):
            return "lm-evaluation-harness sample"
        raise self._error(
            number,
            "is neither a response with choices (vLLM and its like) nor a logged sample of "
            "lm-evaluation-harness; its fields are " + ", ".join(list(line)[:20]),
        )

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with reading(self._path, "JSON lines"):
            system, path = find_filesystem(self._path)
            with system.open_input_stream(path, compression="detect") as stream:
                for number, data in enumerate(_split(stream), 1):
                    if data.strip():
                        yield number, self._object(number, data)

    def _object(self, number: int, data: bytes) -> dict[str, Any]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            reason = str(error).split(": ")[0]
            raise self._error(number, f"is not JSON: {reason}") from None
        if not isinstance(found, dict):
            raise self._error(number, f"must hold a JSON object; got {str(found)[:40]}")
        return found

    def _error(self, number: int, what: str) -> TableError:
        return TableError(f"{self._path}: line {number}: {what}")


def _split(stream: Any) -> Iterator[bytes]:
    """Give the lines of a stream of bytes."""
    rest: list[bytes] = []
    while data := stream.read(READ_BYTES):
        first, *others = data.split(b"\n")
        rest.append(first)
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest = [others[-1]]
    yield b"".join(rest)


def _block(held: list[Scored], done: int) -> Block:
    lengths = np.array([len(scored.logprobs) for scored in held])
    values = chain.from_iterable(scored.logprobs for scored in held)
    logprobs = np.array([np.nan if x is None else x for x in values])
    surprisal = np.where(np.isnan(logprobs), np.nan, surprisals(logprobs))
    document = np.repeat(np.arange(len(held)), lengths)
    start = np.cumsum(lengths) - lengths
    finite, scored = np.isfinite(surprisal), ~np.isnan(surprisal)
    sums = ExactSums(len(held))
    sums.add(surprisal[finite], document[finite])
    units = held[0].counts
    names = [str(scored.name) for scored in held]
    documents = Documents(
        names,
        sums.values(),
        np.bincount(document[np.isinf(surprisal)], minlength=len(held)),
        {u: np.array([UNKNOWN if (c := x.counts[u]) is None else c for x in held]) for u in units},
        np.bincount(document[~scored], minlength=len(held)),
        np.array([x.unscored_bytes for x in held]),
    )
    rows = np.flatnonzero(scored)

    def describe(i: int) -> dict[str, Any]:
        row, which = int(rows[i]), int(document[rows[i]])
        found: dict[str, Any] = {"doc": names[which], "position": row - int(start[which])}
        texts = held[which].texts
        return found if texts is None else found | {"token": texts[found["position"]]}

    return Block(Tokens(surprisal[scored], describe), documents, done)
