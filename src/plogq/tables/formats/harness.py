"""Multiple-choice samples of lm-evaluation-harness: the choices are the classes of a row.

References
----------
EleutherAI, lm-evaluation-harness: `save_results_samples` in `lm_eval/loggers/evaluation_tracker.py`
writes the lines, `process_results` in `lm_eval/api/task.py` takes the likeliest choice, and as
`acc_norm` the likeliest by its length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.packed import open_unpacked
from plogq.tables.formats.wanted import Wanted
from plogq.tables.json_records import Record, read_records

HEAD_BYTES = 1 << 20  # of a file, in which the fields of a log are looked for
LOG_FIELDS = (b'"doc_id"', b'"choices"')


class Choices(NamedTuple):
    """A question: log q of each choice, its bytes, and which is right."""

    logprobs: list[float]
    sizes: list[int]
    label: int
    id: str


def is_sample(record: dict[str, Any]) -> bool:
    """Return whether a record is a logged sample."""
    return "doc_id" in record and ("filtered_resps" in record or "resps" in record)


def requests_of(record: dict[str, Any]) -> list[list[Any]]:
    """Return the arguments of each request, given as lists or as {"gen_args_0": {"arg_0": …}}."""
    arguments = record.get("arguments")
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if not isinstance(arguments, list):
        return []
    found = [list(a.values()) if isinstance(a, dict) else a for a in arguments]
    return [a for a in found if isinstance(a, list)]


def is_multiple_choice(record: dict[str, Any]) -> bool:
    """Return whether a record is a sample whose requests are the choices of a question."""
    return is_sample(record) and len(requests_of(record)) > 1


def is_questions(system: fs.FileSystem, path: str) -> bool:
    """Return whether a file is of such samples, by its first record.

    Raises
    ------
    TableError
        It holds what a language model wrote or read, which is no table.
    """
    try:
        with open_unpacked(system, path) as stream:
            head = stream.read(HEAD_BYTES)
        if not any(field in head for field in LOG_FIELDS):
            return False
        record = next(read_records(system, path), None)
    except (TableError, pa.ArrowException, OSError, EOFError):
        return False  # its reader says what is wrong with it
    first = (record.value if record is not None else None) or {}
    answers = first.get("choices")
    answered = isinstance(answers, list) and any(isinstance(x, dict) for x in answers)
    if answered or (is_sample(first) and not is_multiple_choice(first)):
        refuse(path, "be a table", "a log of a language model: plogq lm reads it", error=TableError)
    return is_multiple_choice(first)


class Questions:
    """A file of multiple-choice samples, of which only the numbers are held.

    Its columns are `logits`, the loglikelihood of each choice; `per_byte`, that divided by the
    choice's bytes; `label`; and `id`. A question of fewer choices than others has −inf for those
    that it lacks.
    """

    format = "lm-evaluation-harness samples"
    writer = None

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.notes = [
            "Read as multiple-choice samples: the choices are the classes, by their place, and "
            "logits are their loglikelihoods."
        ]
        self.warnings: list[str] = []
        questions = self._read(system)
        most = max((len(q.logprobs) for q in questions), default=0)
        lists = pa.list_(pa.float64())
        self._table = pa.table(
            {
                "logits": pa.array([_padded(q.logprobs, most) for q in questions], lists),
                "per_byte": pa.array(
                    [
                        _padded([x / n for x, n in zip(q.logprobs, q.sizes, strict=True)], most)
                        for q in questions
                    ],
                    lists,
                ),
                "label": pa.array([q.label for q in questions], pa.int64()),
                "id": pa.array([q.id for q in questions], pa.string()),
            }
        )
        self.schema = self._table.schema
        self.rows: int | None = len(questions)

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield all rows."""
        yield from self._table.select(wanted.columns).to_batches()

    def _read(self, system: fs.FileSystem) -> list[Choices]:
        """Return the questions, each once."""
        found: dict[str, Choices] = {}
        taken, left_out = None, 0
        for record in read_records(system, self.path):
            value = record.value or {}
            if not is_multiple_choice(value):
                raise record.error(
                    "is no multiple-choice sample of lm-evaluation-harness, as the first is"
                )
            name = str(value.get("filter", "none"))
            taken = name if taken is None else taken
            if name != taken:
                left_out += 1
                continue
            question = _question(record, value)
            if question.id in found:
                raise record.error(
                    f"question {question.id!r} comes back: give the samples of each task in a "
                    "file of its own"
                )
            found[question.id] = question
        if left_out:
            self.notes.append(
                f"Left out {left_out:,} samples under another filter than {taken}: they are of the "
                "same questions."
            )
        widths = sorted({len(q.logprobs) for q in found.values()})
        if len(widths) > 1:
            self.warnings.append(
                f"Questions have {widths[0]} to {widths[-1]} choices: those that a row lacks have "
                "probability 0."
            )
        return list(found.values())


def _padded(values: list[float], most: int) -> list[float]:
    return values + [-math.inf] * (most - len(values))


def _question(record: Record, value: dict[str, Any]) -> Choices:
    requests = requests_of(value)
    resps = value.get("filtered_resps", value.get("resps"))
    answers = resps if isinstance(resps, list) else []
    n = len(requests)
    if n % 2 == 0 and all(a[0] == "" for a in requests[n // 2 :] if a) and requests[0][0] != "":
        n //= 2  # the second half has the choices without the question, for acc_mutual_info
    if len(answers) < n:
        raise record.error(f"must have a response for each of {n} choices; got {len(answers)}")
    texts = [a[-1] if a and isinstance(a[-1], str) else "" for a in requests[:n]]
    logprobs = [_loglikelihood(record, answer) for answer in answers[:n]]
    return Choices(
        logprobs,
        [max(1, len(text.encode("utf-8", "replace"))) for text in texts],
        _label(record, value, texts, logprobs),
        str(value["doc_id"]).encode("utf-8", "replace").decode(),
    )


def _loglikelihood(record: Record, answer: Any) -> float:
    """Return the first of [loglikelihood, whether it is the greedy choice], numbers or texts."""
    while isinstance(answer, list) and answer:
        answer = answer[0]
    try:
        found = float(answer)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not found <= 0:
        raise record.error(f"a response must be a loglikelihood, at most 0; got {answer!r:.40}")
    return found


def _label(record: Record, value: dict[str, Any], texts: list[str], logprobs: list[float]) -> int:
    """Return the right choice: `target` is its index, or its text; `acc` must agree.

    A digit may be either: `acc`, whether the likeliest choice is right, then decides.
    """
    target = value.get("target")
    said = str(target).strip()
    if isinstance(target, (bool, list, dict, float)) or target is None:
        expected = "target must be the index or the text of one choice"
        raise record.error(f"{expected}; got {target!r:.40}")
    by_text = [i for i, text in enumerate(texts) if text.strip() == said]
    by_index = [int(said)] if said.isdecimal() and int(said) < len(texts) else []
    possible = sorted({*by_index, *(by_text if len(by_text) == 1 else [])})
    accuracy = value.get("acc")
    best = max(logprobs)
    if isinstance(accuracy, (int, float)) and accuracy not in (0, 1):
        raise record.error(f"acc must be 0 or 1; got {accuracy}: are several choices right?")
    if accuracy in (0, 1) and logprobs.count(best) == 1:
        right = logprobs.index(best)
        agree = [i for i in possible if (i == right) == bool(accuracy)]
        if possible and not agree:
            raise record.error(
                f"target {said!r:.40} must agree with acc, {accuracy}; the likeliest choice is "
                f"{right}"
            )
        possible = agree
    if len(possible) != 1:
        raise record.error(
            f"target must be the index or the text of one of {len(texts)} choices; got {said!r:.40}"
        )
    return possible[0]
