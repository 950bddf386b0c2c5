"""The pages inside a notebook: the same page, asked of the kernel over a widget's messages."""

import inspect
import re
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import plogq
from plogq import explore, notebook
from plogq.explorer.controls import read_state
from plogq.explorer.pages import PAGES, training
from plogq.records import encoded
from plogq.score import score

TABLE = {"probs": np.array([[0.5, 0.5], [0.25, 0.75]]), "labels": np.array([0, 1])}

# What anywidget gives a module's `render`, over the two functions that Playwright lends the page.
MODEL = """async ({source, traits}) => {
  const module = await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  const heard = [];
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; },
    save_changes: () => saved(traits.state),
    on: (event, callback) => heard.push(callback),
    send: async (content) => {
      const answer = await kernel(content);
      heard.forEach((callback) => callback(answer));
    },
  };
  window.leave = module.default.render({ model, el: document.getElementById("cell") });
}"""


@pytest.fixture
def show(browser):
    """Show a widget in a page that plays the notebook; give the page and the states it saved."""
    complaints, contexts = [], []

    def shown(widget):
        context = browser.new_context(viewport={"width": 1000, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content("<style>p { color: red }</style><div id=cell></div><p id=other>other</p>")
        sent, states = [], []
        widget.send = sent.append

        def kernel(content):
            notebook._reply(widget, content, None)
            return sent.pop()

        page.expose_function("kernel", kernel)
        page.expose_function("saved", lambda state: states.append(state))
        traits = {name: getattr(widget, name) for name in ("page", "spec", "state", "styles")}
        page.evaluate(MODEL, {"source": widget._esm, "traits": traits})
        page.wait_for_selector("h1")
        return page, states

    yield shown
    for context in contexts:
        context.close()
    assert complaints == []


def test_a_page_in_a_notebook_shows_the_kernels_numbers(show):
    page, states = show(explore.softmax(logits=[3.0, 1.0, 0.2], temperature=2.0))
    probs = plogq.softmax(np.array([3.0, 1.0, 0.2]), temperature=2.0)
    page.get_by_text(f"{probs[0]:.4f}").first.wait_for()
    page.get_by_label("temperature T").press("End")
    flat = plogq.softmax(np.array([3.0, 1.0, 0.2]), temperature=5.0)
    page.get_by_text(f"{flat[0]:.4f}").first.wait_for()
    page.wait_for_timeout(400)  # a state is kept when it has come to rest
    begin = read_state(PAGES["softmax"].controls, {"logits": [3.0, 1.0, 0.2], "temperature": 5})
    assert states[-1] == encoded(begin)


def test_what_takes_seconds_comes_to_a_notebook_in_parts(show):
    impatient = replace(PAGES["training"], begun=partial(training.compute, patience=0))
    widget, steps = explore.training(steps=3, hidden=4, batch=4, seed=51), []

    def answer(state):
        result = impatient.answer(state, part=True)
        steps.append(result["readouts"][0]["value"])
        return result

    widget._answer = answer
    page, _ = show(widget)
    page.locator(".readouts output", has_text=re.compile("^3$")).first.wait_for()
    assert steps == [0, 1, 2, 3]


def test_its_styles_stay_inside_and_the_notebooks_outside(show):
    page, _ = show(explore.decomposition())
    color = "(element) => getComputedStyle(element).color"
    assert page.locator("#other").evaluate(color) == "rgb(255, 0, 0)"
    assert page.locator(".lead").evaluate(color) != "rgb(255, 0, 0)"
    margin = page.evaluate("getComputedStyle(document.body).margin")
    assert margin == "8px"  # the browser's own, not the explorer's


def test_a_page_leaves_nothing_behind(show):
    page, _ = show(explore.cross_entropy())
    page.evaluate("leave()")
    assert page.locator("h1").count() == 0


def test_the_report_of_own_predictions(show):
    page, _ = show(explore.predictions(TABLE))
    page.get_by_text("0.7075").first.wait_for()
    assert page.locator("input[type=file]").count() == 0  # there is no server to send it to


@pytest.mark.parametrize("source", [score(TABLE), TABLE])
def test_predictions_take_a_result_or_a_table(source):
    widget = explore.predictions(source)
    sent = []
    widget.send = sent.append
    notebook._reply(widget, {"id": 1, "state": {}}, None)
    assert sent[0]["result"]["result"]["cross_entropy"] == score(TABLE).cross_entropy


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_function(name):
    function = getattr(explore, name)
    assert name in explore.__all__
    assert function.__doc__
    if name != "predictions":
        assert list(inspect.signature(function).parameters) == list(PAGES[name].controls)


def test_bad_arguments_are_refused_at_once():
    with pytest.raises(
        ValueError, match=r"temperature: expected a number from 0\.1 to 5\.0, got 9"
    ):
        explore.softmax(temperature=9)
    with pytest.raises(
        ValueError, match="expected only logits, temperature, target, names, got 'heat'"
    ):
        explore.softmax(heat=1)


def test_a_refusal_reaches_the_page_as_a_sentence():
    widget = explore.softmax()
    sent = []
    widget.send = sent.append
    notebook._reply(widget, {"id": 7, "state": {"temperature": "hot"}}, None)
    assert sent == [{"id": 7, "error": "temperature: expected a number from 0.1 to 5.0, got 'hot'"}]


def test_a_fault_of_ours_is_no_endless_wait():
    def failing(state):
        raise ZeroDivisionError("of ours")

    widget = explore.Explorer("softmax", {}, failing)
    sent = []
    widget.send = sent.append
    with pytest.raises(ZeroDivisionError):
        notebook._reply(widget, {"id": 7, "state": {}}, None)
    assert sent == [{"id": 7, "error": "plogq failed here: ZeroDivisionError('of ours')"}]


def test_without_anywidget_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    for name in ("plogq.explore", "plogq.notebook"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'plogq\[notebook\]'"):
        import plogq.explore  # noqa: F401
