"""The engines of a door, an ordered list: the first one that takes a question answers it.

An engine is an entry in its door's list. It says why it does not take a question, so that a door
can tell its user, and a test can see which engine answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any, NoReturn, Protocol

from plogq.errors import refuse


class Engine(Protocol):
    """One way to compute the answer to a question."""

    name: str

    def refusal(self, x: Any, question: Any) -> str:
        """Say why this engine does not take the question of these logits; empty if it does."""

    def answer(self, x: Any, question: Any) -> Any:
        """Compute the answer to a question that is not refused."""


class Engines:
    """The engines of a door, in the order of preference.

    Parameters
    ----------
    door
        The name of the door's package, and of its logger.
    engines
        In order. The last takes every question that its door lets through.
    quiet
        Tells whether nothing may be logged now, since a compiler traces the call.
    """

    def __init__(
        self, door: str, *engines: Engine, quiet: Callable[[], bool] = lambda: False
    ) -> None:
        self.door = door
        self.all = engines
        self._open = engines  # only one of them while it is forced
        self._quiet = quiet
        self._log = logging.getLogger(door)
        self._logged: set[tuple[str, str]] = set()
        self._seen: list[str] | None = None
        self._asking: int | None = None  # the thread that asks for an explanation
        self._explaining = RLock()
        self._watched = False
        self.unwatched = True  # no engine is forced, seen or explained: shortcuts are open

    def choose(self, x: Any, question: Any) -> Engine:
        """Return the first engine that takes the question.

        Raises
        ------
        NotImplementedError
            If the forced engine does not take it; the message says why.
        """
        refusals: tuple[str, ...] = ()
        for engine in self._open:
            reason = engine.refusal(x, question)
            if not reason:
                if refusals or self._watched:
                    self._note(engine.name, refusals)
                return engine
            refusals = (*refusals, f"{engine.name}: {reason}")
        raise NotImplementedError(f"{self.door}: {'; '.join(refusals)}")

    def _note(self, name: str, refusals: tuple[str, ...]) -> None:
        # A compiler that traces this call cannot trace `get_ident`.
        if self._asking is not None and not self._quiet() and self._asking == get_ident():
            raise _Explained("\n".join([f"{name} answers", *refusals]))
        if self._seen is not None:
            self._seen.append(name)
        if refusals and not self._quiet():
            self._say(name, refusals[0])

    def _say(self, name: str, refusal: str) -> None:
        """Log, at INFO and once each, that a slower engine answers, and why."""
        if (name, refusal) not in self._logged:
            self._logged.add((name, refusal))
            self._log.info("the engine %s answers (%s)", name, refusal)

    def _reopen(self) -> None:
        self._watched = self._asking is not None or self._seen is not None
        self.unwatched = not self._watched and self._open is self.all

    def names(self) -> list[str]:
        """Return the names of the engines, in order."""
        return [engine.name for engine in self.all]

    def forget_what_was_said(self) -> None:
        """Forget what has been logged, so that it is logged again."""
        self._logged.clear()

    def forced(self, name: str) -> bool:
        """Tell whether only the engine of this name may answer."""
        return self._open is not self.all and self._open[0].name == name

    @contextmanager
    def only(self, name: str) -> Iterator[None]:
        """Let only the engine of this name answer in this block, in all threads."""
        chosen = tuple(engine for engine in self.all if engine.name == name)
        if not chosen:
            known = ", ".join(map(repr, self.names()))
            refuse("engine", f"be one of {known}", repr(name))
        before, self._open = self._open, chosen
        self._reopen()
        try:
            yield
        finally:
            self._open = before
            self._reopen()

    @contextmanager
    def seen(self) -> Iterator[list[str]]:
        """Return the names of the engines that answer in this block, in order, in any thread."""
        before, self._seen = self._seen, []
        self._reopen()
        try:
            yield self._seen
        finally:
            self._seen = before
            self._reopen()

    def explain(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        """Return which engine would answer a call, and why none before it.

        The call stops at that choice: arguments are checked, and no engine computes. Calls of
        other threads are not affected.

        Raises
        ------
        ValueError, TypeError
            If the call itself would raise, or the function has no engines.
        """
        with self._explaining:
            self._asking = get_ident()
            self._reopen()
            try:
                function(*args, **kwargs)
            except _Explained as explained:
                return str(explained)
            finally:
                self._asking = None
                self._reopen()
        return _no_engines(function)


class _Explained(BaseException):
    """Ends a call that was made only for its engine; no `except Exception` stops it."""


def _no_engines(function: Callable[..., Any]) -> NoReturn:
    name = getattr(function, "__name__", repr(function))
    refuse("function", "be a loss that has engines", name)
