"""What every page of the explorer keeps to, whatever its state."""

import ast
import json
import math

import pytest
from hypothesis import given, reject, settings

from plogq.explorer.controls import read_state
from plogq.explorer.pages import PAGES
from plogq.records import encoded
from tests.explorer.states import corners, states

SLOW = {"training"}  # a state is some hundred steps of two networks
pytestmark = pytest.mark.parametrize("name", PAGES)


def answer(name, body):
    """Give a page's answer, which must be plain JSON."""
    got = PAGES[name].answer(body)
    text = json.dumps(got, allow_nan=False)
    text.encode()
    assert json.loads(text) == got
    return got


def value_of(code):
    """Run code, and give the value of its last line."""
    *before, last = ast.parse(code).body
    assert isinstance(last, ast.Expr)
    names = {}
    exec(compile(ast.Module(before, []), "page", "exec"), names)
    return eval(compile(ast.Expression(last.value), "page", "eval"), names)


def same(one, other):
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-300)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return all(map(same, one, other))
    return one == other


def holds(name, body):
    got = answer(name, body)
    assert got["notice"].strip()
    assert got["notice"].rstrip()[-1] in ".!?…"
    names = {name.lower() for name in body.get("names", ())}  # a class may be called so
    assert "nan" in names or "nan" not in got["notice"].lower().split()
    assert got["readouts"]
    for figure in got["readouts"]:
        assert figure.keys() == {"name", "unit", "color", "value", "text"}
        assert figure["value"] is not None
        assert figure["color"] in {"", "gain", "keep", "waste", "rest", "ink"}
    assert same(encoded(value_of(got["code"])), got["answer"])
    read = read_state(PAGES[name].controls, body)
    assert got["state"] == encoded(read)
    assert answer(name, got["state"]) == got  # what the page reads back is the same page
    return got


def test_the_default(name):
    got = holds(name, {})
    assert max(map(len, got["code"].splitlines())) <= 80
    assert not {figure["value"] for figure in got["readouts"]} & {"inf", "-inf"}


def test_the_ends_of_every_control(name):
    refused, all_of_them = 0, list(corners(PAGES[name]))[: 3 if name in SLOW else None]
    for body in all_of_them:
        try:
            holds(name, body)
        except ValueError as error:
            says_which_control(name, error)
            refused += 1
    assert refused <= len(all_of_them) // 2


def test_any_state(name):
    @settings(max_examples=6 if name in SLOW else 60)
    @given(body=states(PAGES[name]))
    def any_state(body):
        try:
            holds(name, body)
        except ValueError as error:
            says_which_control(name, error)
            reject()

    any_state()


def says_which_control(name, error):
    """Assert that a refusal is one line that names a control."""
    text = str(error)
    assert "\n" not in text
    assert text.startswith(tuple(PAGES[name].controls)), text


def test_what_a_page_is_called(name):
    spec = json.loads(json.dumps(PAGES[name].spec(), allow_nan=False))
    assert spec["title"]
    assert spec["summary"].endswith(".")
    assert spec["words"]
    for one, control in spec["controls"].items():
        assert control["label"]
        assert "," not in one  # commas and & separate in the address
        read = PAGES[name].controls[one].read(control["default"], one)
        assert encoded(read) == control["default"]
