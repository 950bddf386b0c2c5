"""Samples as lm-evaluation-harness logs them (`--log_samples`): a document's logprob in one.

References
----------
EleutherAI, lm-evaluation-harness: `save_results_samples` in `lm_eval/loggers/evaluation_tracker.py`
writes the lines, `process_results` in `lm_eval/api/task.py` the pairs of loglikelihood and count.
"""

from __future__ import annotations

import math
from typing import Any

from plogq.lm.readers.scored import LineError, Scored

COUNTS = {"word_perplexity": "word", "byte_perplexity": "byte", "bits_per_byte": "byte"}


def is_sample(line: dict[str, Any]) -> bool:
    """Tell a logged sample."""
    return "doc_id" in line and ("filtered_resps" in line or "resps" in line)


def read_sample(line: dict[str, Any]) -> Scored:
    """Give the document of a loglikelihood or loglikelihood_rolling request."""
    requests = _requests(line.get("arguments"))
    if len(requests) > 1:
        raise LineError(
            f"{len(requests)} requests: the answers of a multiple choice are no text to measure "
            "(plogq reads tasks with one loglikelihood a document, such as wikitext)"
        )
    if not all(isinstance(argument, str) for argument in requests[0] if requests):
        raise LineError("a generated text has no loglikelihood")
    logprob = _logprob(line)
    pairs = {unit: _pair(line, name, logprob) for name, unit in COUNTS.items() if name in line}
    text = _text(requests)
    counts: dict[str, int | None] = {"word": None, "character": None, "byte": None} | pairs
    if text is not None:
        size = len(text.encode("utf-8", "replace"))
        if counts["byte"] is None:
            counts |= {"byte": size, "word": counts["word"] or len(text.split())}
        # A task may count the text before it was prepared for the model, as wikitext does.
        counts["character"] = len(text) if counts["byte"] == size else None
    return Scored(str(line["doc_id"]), [logprob], None, counts)


def _logprob(line: dict[str, Any]) -> float:
    """Read the one number of the response; the harness writes it as text."""
    found = line.get("filtered_resps", line.get("resps"))
    while isinstance(found, list) and found:
        if len(found) > 1 and str(found[1]) not in ("True", "False"):
            raise LineError(f"one response a document is read; got {len(found)}")
        found = found[0]
    try:
        value = float(found)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError):
        raise LineError(f"the response must be a loglikelihood; got {found!r:.40}") from None
    return value


def _pair(line: dict[str, Any], name: str, logprob: float) -> int:
    """Read [loglikelihood, count], which must be of that loglikelihood."""
    pair = line[name]
    if not (isinstance(pair, list) and len(pair) == 2):
        raise LineError(f"{name} must be a pair of loglikelihood and count; got {pair!r:.40}")
    total, count = pair
    if not isinstance(total, (int, float)) or not math.isclose(total, logprob, rel_tol=1e-6):
        raise LineError(f"{name} must be of the loglikelihood {logprob}; got {total!r:.40}")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise LineError(f"{name} must count by whole numbers; got {count!r:.40}")
    return count


def _requests(arguments: Any) -> list[list[Any]]:
    """Give the arguments of each request: lists, or as {"gen_args_0": {"arg_0": …}}."""
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if not isinstance(arguments, list):
        return []
    return [list(a.values()) if isinstance(a, dict) else a for a in arguments]


def _text(requests: list[list[Any]]) -> str | None:
    """Give what was scored: the one argument of a rolling request, or the continuation."""
    if len(requests) != 1 or not isinstance(requests[0], list):
        return None
    last = requests[0][-1] if len(requests[0]) in (1, 2) else None
    return last if isinstance(last, str) else None
