"""JSON by any known writer, with a document or a response in each record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePath
from typing import Any

import numpy as np

from plogq.errors import TableError
from plogq.kernels.exact_sum import ExactSums
from plogq.lm.documents import (
    UNKNOWN,
    Block,
    Documents,
    Names,
    Remarks,
    Tokens,
    came_back,
    surprisals,
    wrong_logprobs,
)
from plogq.lm.readers.base import PLACES, suspected_base
from plogq.lm.readers.harness import SampleNames
from plogq.lm.readers.response import RecordError
from plogq.lm.readers.scored import Scored, Section
from plogq.lm.readers.streams import join_streams
from plogq.lm.readers.table_doubts import ZERO_FIRSTS
from plogq.lm.readers.writers import HARNESS, WRITERS, Writer, writer_of
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.json_records import Record, find_files, read_records
from plogq.tables.readers import reading

BLOCK_TOKENS = 65_536


class JsonLog:
    """Logs of token logprobs in JSON: lines, or any other layout; a file or a folder.

    Parameters
    ----------
    path
        The file, folder or URI, compressed by its ending.
    part
        Which tokens count where a response has logprobs of both: "prompt", "completion" or "all";
        None refuses such responses.
    text
        What the user says of a text table; it does not apply here, and a remark says so.
    """

    rows: int | None = None

    def __init__(self, path: str, part: Section | None, text: TextOptions | None = None) -> None:
        self._part = part
        with reading(path, "JSON"):
            self._files = find_files(path)
        raw = (record for name in self._files.paths for record in whole_records(self._raw(name)))
        first = next((record for record in raw if record.value is not None), None)
        if first is None:
            raise TableError(f"{path}: no tokens to score")
        self._writer = _known(first)
        if self._writer is HARNESS and part is not None:
            raise TableError(f"{path}: --part is for responses, and this is no file of responses")
        self.origin: dict[str, Any] = {
            "paths": self._files.paths,
            "format": f"JSON, {self._writer.name}",
            "columns": {},
        }
        if self._files.left_out:
            self.origin["left_out"] = self._files.left_out
        self.remarks = Remarks()
        for said in [] if text is None else text.not_used(f"{path} is JSON in UTF-8", ()):
            self.remarks.add("reading", said.removesuffix("."), 0)
        stems = [PurePath(name).stem for name in self._files.paths]
        unique = len(set(stems)) == len(stems)
        self._called = dict(
            zip(self._files.paths, stems if unique else self._files.paths, strict=True)
        )
        self._section: Section | None = None
        self._filter: str | None = None
        self._others: list[tuple[float, ...]] = []
        self._prompts = self._zero_firsts = 0

    def blocks(self) -> Iterator[Block]:
        """Yield the documents in blocks."""
        held: list[Scored] = []
        tokens, done = 0, 0
        known = Names()
        for path in self._files.paths:
            names = SampleNames()
            for record in self._records(path):
                done += 1
                found = self._read(record, names)
                for i, scored in enumerate(found):
                    place = record.where if len(found) == 1 else f"{record.where}:{i}"
                    name = self._named(record.path, place if scored.name is None else scored.name)
                    if not known.add(name):
                        raise came_back(f"{path}: {record.where}", name)
                    held.append(scored._replace(name=name))
                    tokens += len(scored.logprobs)
                if tokens >= BLOCK_TOKENS:
                    yield _block(held, done)
                    held, tokens = [], 0
        if self._zero_firsts == self._prompts >= 2:
            self.remarks.add("zero_firsts", ZERO_FIRSTS, self._prompts)
        if base := suspected_base(self._others):
            self.remarks.add("other_base", f"the logprobs are no natural logarithms: {base}", 0)
        if held:
            yield _block(held, done)

    def _raw(self, path: str) -> Iterator[Record]:
        with reading(path, "JSON"):
            yield from read_records(self._files.system, path)

    def _records(self, path: str) -> Iterator[Record]:
        records = whole_records(self._raw(path))
        stream = self._writer.stream
        return records if stream is None else join_streams(records, stream)

    def _named(self, path: str, name: str) -> str:
        """Return a document's name; where there are several files, with the name of its file."""
        return _text(name if len(self._called) == 1 else f"{self._called[path]}: {name}")

    def _read(self, record: Record, names: SampleNames) -> list[Scored]:
        writer, value = _known(record), record.value or {}
        if writer is not self._writer:
            raise record.error(
                f"is of another kind, {writer.name}; the first record is of {self._writer.name}"
            )
        if writer is HARNESS and self._is_left_out(value):
            return []
        custom = value.get("custom_id")
        try:
            found = writer.read(value, self._part, None if custom is None else str(custom))
        except RecordError as error:
            raise record.error(str(error)) from None
        for scored in found:
            self._check(record, scored)
            for code, message in scored.remarks:
                said = f"{record.where}: {message}" if code == "bytes_unknown" else message
                self.remarks.add(code, said)
            if scored.section != "completion" and any(scored.logprobs):
                self._prompts += 1
                self._zero_firsts += scored.logprobs[0] == 0
            if len(self._others) < PLACES:
                self._others += scored.others
        if writer is HARNESS:
            name = names.name(found[0], value)
            if name is None:
                raise came_back(f"{record.path}: {record.where}", str(found[0].name))
            if names.tasks > 1:
                self.remarks.add("tasks", _TASKS)
            return [found[0]._replace(name=name)]
        return found

    def _is_left_out(self, sample: dict[str, Any]) -> bool:
        """Return whether a sample has another filter than the first: it is of the same document."""
        name = str(sample.get("filter", "none"))
        self._filter = name if self._filter is None else self._filter
        if name == self._filter:
            return False
        self.remarks.add("other_filters", f"samples under another filter than {self._filter!r} are "
                         "left out: they are of the same documents")  # fmt: skip
        return True

    def _check(self, record: Record, scored: Scored) -> None:
        values = np.array([np.nan if x is None else x for x in scored.logprobs])
        missing = np.array([x is None for x in scored.logprobs])
        bad, expected = wrong_logprobs(values)
        if (bad & ~missing).any():
            i = int(np.argmax(bad & ~missing))
            raise record.error(f"logprob {i} must {expected}; got {values[i]}")
        if scored.section is None:
            return
        if self._section not in (None, scored.section):
            raise record.error(
                f"logprobs of the {scored.section}, and before them of the {self._section}: "
                "choose with --part prompt or completion"
            )
        self._section = scored.section
        self.origin["part"] = scored.section


_TASKS = (
    "numbers of documents come back with other texts: they are of several tasks, and named by them"
)


def whole_records(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records without what a batch run or a stream of events wraps around them.

    A batch run answers with custom_id, response.body and error; others keep a response beside
    its request. Events of OpenAI's Responses hold a response piece by piece, and all of it at the
    end.
    """
    for record in records:
        value = record.value
        if value is None:
            yield record
            continue
        event = value.get("type")
        if isinstance(event, str) and event.startswith("response."):
            if not event.endswith((".completed", ".incomplete")):
                continue
        elif not _wrapped(value):
            yield record
            continue
        held = value.get("response")
        held = held if isinstance(held, dict) else {}
        body = held.get("body", held)
        if not isinstance(body, dict) or not body:
            came = str(value.get("error"))[:60]
            raise record.error(f"the response must hold choices; got {came}")
        named = {"custom_id": value["custom_id"]} if value.get("custom_id") is not None else {}
        yield record._replace(value=body | named)


def _wrapped(value: dict[str, Any]) -> bool:
    """Return whether a record holds a response beside other things."""
    if "response" not in value:
        return False
    held = value["response"]
    return (held is None and "custom_id" in value) or (
        isinstance(held, dict) and writer_of(value) is None
    )


def _known(record: Record) -> Writer:
    found = writer_of(record.value or {})
    if found is None:
        known = ", ".join(writer.name for writer in WRITERS)
        raise record.error(
            f"is none of {known} (write a table of it, with a row for each token: doc, logprob and "
            "bytes); its fields are " + ", ".join(list(record.value or {})[:20])
        )
    return found


def _text(name: str) -> str:
    """Return a name that is valid Unicode: JSON may hold half of a pair of surrogates."""
    return name.encode("utf-8", "replace").decode()


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
        [x.text for x in held],
    )
    rows = np.flatnonzero(scored)

    def describe(i: int) -> dict[str, Any]:
        row, which = int(rows[i]), int(document[rows[i]])
        found: dict[str, Any] = {"doc": names[which], "position": row - int(start[which])}
        called = held[which].names
        return found if called is None else found | {"token": _text(called[found["position"]])}

    return Block(Tokens(surprisal[scored], describe), documents, done)
