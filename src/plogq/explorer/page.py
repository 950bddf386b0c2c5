"""A page of the explorer on the Python side: its controls, and what it computes from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plogq.doctor.check import codes_of
from plogq.explorer.controls import Control, State, read_state
from plogq.explorer.shown import Figure, figure
from plogq.records import encoded

Result = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """A page: `web/src/pages/` has a file of the same name, which draws what `compute` gives.

    `compute` takes a state that the controls have read. It gives what the picture needs, and

    readouts  the numbers to show, in order
    notice    a sentence or two: what to notice, at these very numbers
    code      the Python that gives the page's main number: its last line is an expression
    answer    that number
    checks    the codes of the doctor's checks, where they depend on the state

    `begun` gives what of that can be computed in a moment, where all of it takes seconds; its
    `more` is true until it is all, and each time it is asked there is more.
    `words` are more words by which a search finds the page; `files` are the endings of the file
    names that it takes. `checks` names the checks of the doctor that find the page's mistake.
    """

    title: str
    summary: str
    words: str
    controls: Mapping[str, Control]
    compute: Callable[[State], Result]
    files: tuple[str, ...] = ()
    begun: Callable[[State], Result] | None = None
    checks: tuple[str, ...] = ()

    def answer(self, body: Any, *, part: bool = False) -> Result:
        """Compute the page's figures from a state that came from outside, as JSON.

        With `part` they may be those of a beginning.
        """
        state = read_state(self.controls, body)
        compute = self.begun if part and self.begun else self.compute
        checks = codes_of(*self.checks)
        result: Result = encoded({"checks": checks, **compute(state), "state": state})
        return result

    def spec(self) -> Result:
        """Give what the front end knows of the page before it asks."""
        return {
            "title": self.title,
            "summary": self.summary,
            "words": self.words,
            "controls": {name: encoded(c.spec()) for name, c in self.controls.items()},
            "files": self.files,
            "begun": self.begun is not None,
        }


def readout(name: str, value: Any, unit: str = "", color: str = "", digits: int = 4) -> Figure:
    """Give a number with its name and unit; `color` is the colour of its part of the picture."""
    return {"name": name, "unit": unit, "color": color, **figure(value, digits)}


def python(values: Any) -> str:
    """Write numbers as Python reads them back.

    Examples
    --------
    >>> python((0.7, 0.2, 1 / 10)), python(2.0), python((float("-inf"),))
    ('[0.7, 0.2, 0.1]', '2.0', '[float("-inf")]')
    """
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(python, values))}]"
    text = repr(values)
    return f'float("{text}")' if text in ("inf", "-inf", "nan") else text
