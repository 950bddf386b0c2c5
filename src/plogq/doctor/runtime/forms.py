"""The forms of a training that is watched: those of its diagnosis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from plogq.doctor.finding import Diagnosis
from plogq.records import shown_by


class Forms(ABC):
    """What is watched, and shown as its diagnosis: a context manager, or `start` and `stop`.

    `print` and a notebook's cell show the diagnosis.
    """

    @abstractmethod
    def start(self) -> Self:
        """Begin to watch."""

    @abstractmethod
    def stop(self) -> None:
        """End to watch."""

    @property
    @abstractmethod
    def diagnosis(self) -> Diagnosis:
        """What was found until now."""

    def __enter__(self) -> Self:
        """Begin to watch."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        """End to watch."""
        self.stop()

    def report(self) -> None:
        """Print the diagnosis on the terminal."""
        shown_by("plogq.reports.terminal.doctor:print_report", self.diagnosis)

    def to_json(self) -> str:
        """Return the diagnosis as JSON text."""
        return self.diagnosis.to_json()

    def html(self) -> str:
        """Return the diagnosis as a page of HTML that needs no other file."""
        return self.diagnosis.html()

    def __str__(self) -> str:
        """Return the diagnosis as plain text."""
        return str(self.diagnosis)

    def _repr_mimebundle_(self, **asked: Any) -> dict[str, str]:
        """Return the diagnosis as a notebook's cell shows it."""
        return self.diagnosis._repr_mimebundle_(**asked)
