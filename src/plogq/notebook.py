"""The explorer's pages inside a notebook (Jupyter, marimo), one function each, computed in its kernel.

    from plogq import explore
    explore.softmax(logits=[3.0, 1.0, 0.2], temperature=2.0)

A page's arguments are the values of its controls; without them it begins at its defaults. It is the
same page as in `plogq explore`. `.state` has the values that its reader has set.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import resources
from inspect import Parameter, Signature
from typing import Any

from plogq.extras import needed_by

with needed_by("plogq.explore"):
    import anywidget
    import traitlets

from plogq.explorer.controls import read_state
from plogq.explorer.page import Page
from plogq.explorer.pages import PAGES
from plogq.explorer.pages.predictions_report import report
from plogq.records import encoded
from plogq.score import Result, score


class Explorer(anywidget.AnyWidget):
    """A page of the explorer as a widget. `state` has the present values of its controls."""

    _esm = resources.files("plogq.explorer").joinpath("static", "explorer.js").read_text("utf-8")

    page = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    # These styles are for the page's own root; `_css` would style the notebook as well.
    styles = traitlets.Unicode().tag(sync=True)

    def __init__(self, name: str, state: dict[str, Any], answer: Callable[[Any], Any]) -> None:
        style = resources.files("plogq.explorer").joinpath("static", "explorer.css")
        super().__init__(
            page=name, spec=PAGES[name].spec(), state=state, styles=style.read_text("utf-8")
        )
        self._answer = answer
        self.on_msg(_reply)


def _reply(widget: Explorer, content: dict[str, Any], buffers: Any) -> None:
    """Answer a question of the page: with the figures at a state, or with what is wrong."""
    try:
        answer = {"result": widget._answer(content["state"])}
    except ValueError as error:
        answer = {"error": str(error)}
    except Exception as error:
        # The page waits for an answer, and the kernel shows where the error was.
        widget.send({"id": content["id"], "error": f"plogq failed here: {error!r}"})
        raise
    widget.send({"id": content["id"], **answer})


def _function(name: str, page: Page) -> Callable[..., Explorer]:
    defaults = encoded(read_state(page.controls, {}))

    def show(**turned: Any) -> Explorer:
        state = defaults | {key: encoded(value) for key, value in turned.items()}
        read_state(page.controls, state)  # refuse now what the page would refuse later
        return Explorer(name, state, partial(page.answer, part=True))

    show.__name__ = show.__qualname__ = name
    show.__doc__ = "\n".join([
        f"{page.title}. {page.summary}",
        "",
        "Parameters",
        "----------",
        *(f"{key}\n    {control.spec()['label']}." for key, control in page.controls.items()),
        "",
        "Raises",
        "------",
        "ValueError",
        "    If one is out of its bounds.",
    ])  # fmt: skip
    show.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(key, Parameter.KEYWORD_ONLY, default=value) for key, value in defaults.items()]
    )
    return show


def predictions(source: Any = None, **options: Any) -> Explorer:
    """Return a widget with the report of a result, or of a table as `plogq.score.score` takes it.

    Parameters
    ----------
    source
        A `plogq.score.Result`, its JSON as a dictionary, or a table. Without it, an example.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if source is None:
        return Explorer("predictions", {}, PAGES["predictions"].answer)
    known = isinstance(source, Result) or (isinstance(source, dict) and "schema" in source)
    found = encoded(report(source if known else score(source, **options)))
    return Explorer("predictions", {}, lambda state: found)


globals().update({
    name: _function(name, page) for name, page in PAGES.items() if name != "predictions"
})  # fmt: skip

__all__ = ["Explorer"]
__all__.extend(PAGES)
