"""Which tokens a model sees at a time, and which of them it is asked for: each token once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from plogq.errors import check_count, refuse


class Window(NamedTuple):
    """Some tokens of a document, of which the last ones are scored.

    The model sees the tokens from `start` to the one before the last, behind the prefix where the
    window has it. What it says behind each of them is of the next: `first` to `end` are scored.
    """

    start: int
    first: int
    end: int
    prefixed: bool


class Plan(NamedTuple):
    """How documents are cut into windows.

    Attributes
    ----------
    context
        The most tokens that the model sees at a time, the prefix among them.
    stride
        The most tokens that a window scores, but for a document's first.
    prefix
        The tokens put before a document, as BOS is.
    every
        Whether each window has the prefix; otherwise a document's first window has it alone.
    """

    context: int
    stride: int
    prefix: tuple[int, ...] = ()
    every: bool = True

    def windows(self, tokens: int) -> Iterator[Window]:
        """Yield the windows of a document of so many tokens.

        A window ends `stride` tokens behind the one before and begins as far back as fits, so that
        each token has a context of at least context − stride tokens, where there are as many.

        Examples
        --------
        >>> [(w.start, w.first, w.end) for w in Plan(context=4, stride=2).windows(8)]
        [(0, 1, 5), (2, 5, 7), (3, 7, 8)]
        """
        prefix = len(self.prefix)
        first, end = 0 if prefix else 1, min(tokens, self.context + 1 - prefix)
        if first < end:
            yield Window(0, first, end, prefix > 0)
        again = prefix if self.every else 0
        while end < tokens:
            first, end = end, min(tokens, end + self.stride)
            yield Window(max(0, end - (self.context + 1 - again)), first, end, again > 0)

    def inputs(self, window: Window) -> int:
        """Return how many tokens the model sees in a window."""
        return window.end - 1 - window.start + (len(self.prefix) if window.prefixed else 0)


def plan(
    context: int | None,
    stride: int | None,
    *,
    positions: int | None,
    without_limit: int,
    prefix: tuple[int, ...],
    every: bool,
) -> Plan:
    """Return how documents are cut, once the sizes are checked.

    Parameters
    ----------
    context, stride
        As they were given. Without a context it is the model's number of positions, and
        `without_limit` where the model has no limit; without a stride it is half the context.
    positions
        How many tokens the model can see at a time, where there is a limit.
    without_limit
        The context of a model without a limit.
    prefix, every
        Of the `Plan`.
    """
    if context is None:
        context = without_limit if positions is None else positions
    check_count("context", context, 1)
    if positions is not None and context > positions:
        refuse("context", f"be at most {positions}, the positions that the model has", context)
    most = context + 1 - len(prefix) if every and prefix else context
    if most < 1:
        refuse("context", f"hold the {len(prefix)} tokens that begin a window", context)
    if stride is None:
        stride = max(1, min(most, context // 2))
    check_count("stride", stride, 1)
    if stride > most:
        said = f"be at most {most}, or tokens between two windows would be left out"
        refuse("stride", said, stride)
    return Plan(context, stride, prefix, every)
