"""What a reader may do with any input: refuse in one line, or give a plain reader's numbers."""

import math
from collections.abc import Sequence

from plogq.tables.row_figures import LARGEST_SURPRISAL


class Wrong(AssertionError):
    """A reader did neither: the reason."""


def check_refusal(error: Exception) -> str:
    """Accept an error that is plogq's own, in one line of words."""
    said = str(error)
    if not said.strip() or "\n" in said or "Traceback" in said:
        raise Wrong(f"a refusal is to be one line: {said!r}")
    return "refused"


def same(a: float, b: float) -> bool:
    """Tell whether two costs are one; what is beyond 2^64 nats is impossible, as docs say."""
    a, b = (math.inf if x > LARGEST_SURPRISAL else x for x in (a, b))
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def nats_of(kind: str, row: Sequence[float], label: int) -> list[float] | None:
    """Give what a row costs: as it is, and with its probabilities divided by their sum.

    None where the row is no prediction.
    """
    if any(math.isnan(x) or x == math.inf for x in row):
        return None
    if kind == "logits":
        top = max(row)
        if top == -math.inf:
            return None
        at = row.index(top)  # the others are added by themselves: a small cost keeps its digits
        rest = math.fsum(math.exp(x - top) for i, x in enumerate(row) if i != at)
        return [top - row[label] + math.log1p(rest)]
    if kind == "logprobs":
        if any(x > 1e-6 for x in row):
            return None
        probs = [math.exp(x) for x in row]
    else:
        if any(x < 0 for x in row):
            return None
        probs = list(row)
    total = math.fsum(probs)
    if abs(total - 1) > 0.05:
        return None
    own = -row[label] if kind == "logprobs" else _neg_log(row[label])
    return [own, own + math.log(total), *_by_rest(probs, label)]


def _neg_log(p: float) -> float:
    return math.inf if p == 0 else -math.log(p)


def _by_rest(probs: Sequence[float], label: int) -> list[float]:
    """Give the cost by the other classes' probabilities, which keeps the digits of a small one."""
    rest = math.fsum(p for i, p in enumerate(probs) if i != label)
    return [math.log1p(rest / probs[label]) if probs[label] else math.inf]
