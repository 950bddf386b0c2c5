"""A page's answer to a state, and to any state that it takes."""

import math

from hypothesis import assume, given, settings

from plogq.explorer.pages import PAGES
from tests.explorer.states import states


def answer(name, state=None):
    return PAGES[name].answer(state or {})


def values(got):
    return [math.inf if r["value"] == "inf" else r["value"] for r in got["readouts"]]


def some(name, examples):
    """Give a test states of a page: those it refuses aside."""

    def decorated(test):
        def tested(state):
            try:
                got = answer(name, state)
            except ValueError:
                assume(False)
            test(got)

        run = given(state=states(PAGES[name]))(tested)
        return settings(max_examples=examples)(run)

    return decorated
