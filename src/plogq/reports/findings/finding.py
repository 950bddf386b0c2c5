"""The words of a report on one thing."""

from __future__ import annotations

from dataclasses import dataclass

# The questions that the first screen of every report answers, in this order.
QUESTIONS = ("How good", "Against what", "What to do", "How sure")


@dataclass(frozen=True)
class Finding:
    """A sentence for a title, what it means, and what to do about it.

    The title has no full stop; the text and the advice are whole sentences. Terminal, page and
    notebook show the same words.
    """

    title: str
    text: str = ""
    advice: str | None = None
