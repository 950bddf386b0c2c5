"""Samples as lm-evaluation-harness logs them (`--log_samples`): one logprob for each document.

References
----------
EleutherAI, lm-evaluation-harness: `save_results_samples` in `lm_eval/loggers/evaluation_tracker.py`
writes the lines, `process_results` in `lm_eval/api/task.py` the pairs of loglikelihood and count.
"""

from __future__ import annotations

import math
from typing import Any

from plogq.lm.documents import LARGEST_COUNT, Names
from plogq.lm.readers.response import RecordError, number_of
from plogq.lm.readers.scored import Scored
from plogq.tables.formats.harness import is_sample, requests_of

NAME = "lm-evaluation-harness samples"
COUNTS = {"word_perplexity": "word", "byte_perplexity": "byte", "bits_per_byte": "byte"}

recognises = is_sample


def read(record: dict[str, Any]) -> Scored:
    """Return the document of a loglikelihood or loglikelihood_rolling request."""
    requests = requests_of(record)
    if len(requests) > 1:
        raise RecordError(
            f"{len(requests)} requests: the answers of a multiple choice are no text to measure; "
            "plogq score and plogq compare read them, as the classes of a row"
        )
    if requests and not all(isinstance(argument, str) for argument in requests[0]):
        raise RecordError("a generated text has no loglikelihood")
    logprob = _logprob(record)
    pairs = {unit: _pair(record, name, logprob) for name, unit in COUNTS.items() if name in record}
    text = _text(requests)
    counts: dict[str, int | None] = {"word": None, "character": None, "byte": None} | pairs
    whole = None
    if text is not None:
        data = text.encode("utf-8", "replace")
        if counts["byte"] is None:
            counts |= {"byte": len(data), "word": counts["word"] or len(text.split())}
        # A task may count the text before it was prepared for the model, as wikitext does.
        counts["character"] = len(text) if counts["byte"] == len(data) else None
        whole = hash(data)
    return Scored(str(record["doc_id"]), [logprob], None, counts, text=whole)


class SampleNames:
    """Names for samples, by their documents and, where a file has several tasks, by the task.

    Another task begins where a document's number comes back with another request. With the same
    request it is the same document.
    """

    def __init__(self) -> None:
        self.tasks = 1
        self._documents, self._requests = Names(), Names()

    def name(self, scored: Scored, record: dict[str, Any]) -> str | None:
        """Return the name of a document; None where it was there before."""
        counts = sorted((unit, n) for unit, n in scored.counts.items() if n is not None)
        if not self._requests.add(repr((scored.name, record.get("arguments"), counts))):
            return None
        if not self._documents.add(f"{self.tasks}:{scored.name}"):
            self.tasks += 1
            self._documents.add(f"{self.tasks}:{scored.name}")
        return scored.name if self.tasks == 1 else f"task {self.tasks}: {scored.name}"


def _logprob(record: dict[str, Any]) -> float:
    """Return the one number of the response, in nats; the harness writes it as text."""
    found = record.get("filtered_resps", record.get("resps"))
    while isinstance(found, list) and found:
        if len(found) > 1 and str(found[1]) not in ("True", "False"):
            raise RecordError(f"one response a document is read; got {len(found)}")
        found = found[0]
    try:
        value = float(found)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError, OverflowError):
        raise RecordError(f"the response must be a loglikelihood; got {found!r:.40}") from None
    return value


def _pair(record: dict[str, Any], name: str, logprob: float) -> int:
    """Return the count of [loglikelihood, count], whose loglikelihood must be `logprob`."""
    pair = record[name]
    if not (isinstance(pair, list) and len(pair) == 2):
        raise RecordError(f"{name} must be a pair of loglikelihood and count; got {pair!r:.40}")
    total, count = pair
    if not math.isclose(number_of(total, name), logprob, rel_tol=1e-6):
        raise RecordError(f"{name} must be of the loglikelihood {logprob}; got {total!r:.40}")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise RecordError(f"{name} must count by whole numbers; got {count!r:.40}")
    if count > LARGEST_COUNT:
        raise RecordError(f"{name} must count at most {LARGEST_COUNT:,}; got {count!r:.40}")
    return count


def _text(requests: list[list[Any]]) -> str | None:
    """Return what was scored: the one argument of a rolling request, or the continuation."""
    if len(requests) != 1:
        return None
    last = requests[0][-1] if len(requests[0]) in (1, 2) else None
    return last if isinstance(last, str) else None
