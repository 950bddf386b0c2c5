"""What every watch of a training does: it says what it could not see, and lets training go on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from plogq.doctor.finding import Unread
from plogq.doctor.readings import Array, entropy
from plogq.doctor.runtime.training import LossCurve
from plogq.doctor.values import Values


class LookError(Exception):
    """Something cannot be looked at; the message says why."""


class Looking:
    """It keeps what was found, and what could not be looked at.

    Attributes
    ----------
    found
        The fields of a `Training`, by name.
    unread
        What could not be looked at, and why.
    """

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.unread: list[Unread] = []

    @contextmanager
    def safe(self, what: str) -> Iterator[None]:
        """Say that something could not be looked at, and let the training go on."""
        try:
            with random_kept():
                yield
        except Exception as error:
            said = str(error).strip().partition("\n")[0]
            if not isinstance(error, LookError):
                said = f"{type(error).__name__}: {said}"
            self.note(what, f"could not be looked at: {said}")

    def note(self, what: str, reason: str) -> None:
        """Say why something was not looked at, once."""
        if what not in {each.path for each in self.unread}:
            self.unread.append(Unread(what, reason))

    def ask(self, field: str, what: str, question: Callable[[], Any]) -> None:
        """Keep the answer to a question, if there is one."""
        with self.safe(what):
            answer = question()
            if answer is not None:
                self.found[field] = answer


@contextmanager
def random_kept() -> Iterator[None]:
    """Leave the generators of NumPy and of Python as they were, also after an exception."""
    numpy, python = np.random.get_state(), random.getstate()  # noqa: NPY002 (a model may use it)
    try:
        yield
    finally:
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)


def curve_of(losses: Iterable[float], labels: Counter[int]) -> LossCurve | None:
    """Return the losses beside the entropy of the shares of the labels; None without labels."""
    total = labels.total()
    if not total:
        return None
    shares = np.array(list(labels.values())) / total
    return LossCurve(tuple(losses), float(entropy(shares)), total, len(shares))


def labels_of(values: Values) -> Array | None:
    """Return the labels of a loss that is the mean surprisal of them; None of any other."""
    options = values.options
    plain = options.get("reduction", "mean") in ("mean", "sum_over_batch_size")
    changed = options.get("label_smoothing", 0.0) > 0 or options.get("weight") is not None
    if values.loss.of != "softmax" or not plain or changed or values.scored is None:
        return None
    return values.scored.truth
