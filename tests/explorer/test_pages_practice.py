"""The pages to practise on: training, which loss, quiz, errata."""

import ast
import itertools
import json
import math
import re
import time
import urllib.request
from collections import Counter
from pathlib import Path

import jax.numpy as jnp
import mpmath
import numpy as np
import psutil
import pytest
import torch

import plogq.torch
from plogq.doctor.choices_table import CALLS, FRAMEWORKS
from plogq.explorer.controls import read_state
from plogq.explorer.pages import PAGES
from plogq.explorer.pages import quiz as quiz_page
from plogq.explorer.pages import training as training_page
from plogq.explorer.pages import which_loss as which_page
from plogq.explorer.pages.errata_list import DICE, HABITS, errata
from plogq.explorer.pages.quiz import ABOUT
from plogq.explorer.pages.quiz_questions import LETTERS, SETS, questions, score
from plogq.explorer.pages.training_runs import LOSSES, Run, Settings, batches, run_of, split, start
from plogq.explorer.server.streams import _steps
from plogq.explorer.shown import shown
from tests.explorer.conftest import looks_right
from tests.explorer.running import explorer, run_async, settled

ROOT = Path(__file__).parents[2]
SMALL = Settings(layers=2, hidden=5, batch=4)


def value_of(code, names=None):
    """Run code, and give the value of its last line."""
    *before, last = ast.parse(code).body
    names = {} if names is None else names
    exec(compile(ast.Module(before, []), "page", "exec"), names)
    return eval(compile(ast.Expression(last.value), "page", "eval"), names)


# Training


@pytest.mark.parametrize("units", ["tanh", "sigmoid"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_of_the_network_is_torchs(loss, units):
    settings = Settings(layers=3, hidden=5, batch=6, units=units)
    network = start(settings)
    pixels, labels = next(batches(settings))
    layers = network.layers(pixels)
    grad = LOSSES[loss](layers[-1], labels).grad / len(labels)
    ours = network.gradient(layers, grad)

    weights = [torch.tensor(w, requires_grad=True) for w in network.weights]
    biases = [torch.tensor(b, requires_grad=True) for b in network.biases]
    x = torch.tensor(pixels)
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = x @ w + b
        if i < len(weights) - 1:
            x = getattr(torch, units)(x)
    onehot = torch.nn.functional.one_hot(torch.tensor(labels), 10)
    if loss == "cross_entropy":
        whole = torch.nn.functional.cross_entropy(x, torch.tensor(labels))
    else:
        whole = ((torch.softmax(x, 1) - onehot) ** 2).sum(1).mean()
    whole.backward()
    for mine, theirs in zip(ours.weights + ours.biases, weights + biases, strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_a_run_follows_from_its_settings():
    whole = Run(SMALL).upto(12)
    again = Run(SMALL)
    again.upto(3)
    assert again.upto(12) == whole
    assert Run(Settings(layers=2, hidden=5, batch=4, seed=1)).upto(12) != whole


def test_the_examples_are_a_row_of_each_digit_and_the_guesses_those_of_the_network():
    settings = Settings(hidden=5, batch=8)
    run = Run(settings)
    assert run.examples.labels.tolist() == list(range(10))
    assert not set(run.examples.ids) & set(split(settings)[0].ids)  # held out
    network = start(settings)
    for (pixels, labels), moment in zip(batches(settings), run.upto(6), strict=False):
        logits = network.layers(run.examples.pixels)[-1].tolist()
        assert [row.index(max(row)) for row in logits] == list(moment["squared_error"].guesses)
        layers = network.layers(pixels)
        slope = plogq.squared_error_from_logits(layers[-1], labels).grad / len(labels)
        network = network.descend(network.gradient(layers, slope), settings.rate)


def test_both_networks_begin_alike_and_part():
    first, second = Run(SMALL).upto(1)
    assert first["cross_entropy"].losses == first["squared_error"].losses
    assert first["cross_entropy"].accuracy == first["squared_error"].accuracy
    assert second["cross_entropy"].losses != second["squared_error"].losses


def test_squared_error_fades_where_the_start_is_large_and_wrong():
    first = Run(Settings()).upto(0)[0]
    assert first["cross_entropy"].norms[0] > 4 * first["squared_error"].norms[0]


def events(url, query, most=1000):
    """Give the events of a stream, up to so many."""
    found = []
    with urllib.request.urlopen(f"{url}/api/training?{query}", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer:
            if line.startswith(b"data: ") and line != b"data: {}\n":
                found.append(json.loads(line[6:]))
                if len(found) == most:
                    break
            if line.startswith(b"event: end"):
                break
    return found


def test_the_stream_goes_on_from_where_the_page_is(explorer_url):
    streamed = events(explorer_url, "steps=3&hidden=5&batch=4", most=3)
    page = training_page.PAGE.answer({"steps": 6, "hidden": 5, "batch": 4})
    assert [event["moment"] for event in streamed] == page["moments"][4:]
    assert streamed[-1]["readouts"] == page["readouts"]
    assert streamed[-1]["notice"] == page["notice"]


def test_the_stream_ends_after_the_last_step(explorer_url):
    last = training_page.LAST
    steps = [
        e["moment"]["step"] for e in events(explorer_url, f"steps={last - 2}&hidden=4&batch=4")
    ]
    assert steps == [last - 1, last]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("rate=hot", "rate: expected a number, got 'hot'"),
        ("rate=99", "rate: expected a number from 0.05 to 2.0, got 99.0"),
        ("rate=nan", "rate: expected a number from 0.05 to 2.0, got nan"),
        ("steps=1.5", "steps: expected a whole number from 0 to 400, got 1.5"),
        ("units=relu", "units: expected one of tanh, sigmoid, got 'relu'"),
        ("from=3", "the state: expected only"),
    ],
)
def test_the_stream_refuses_in_a_sentence(query, said, explorer_url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        events(explorer_url, query)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["error"].startswith(said)


def test_a_stream_does_not_begin_anew_when_others_come_and_go():
    async def steps():
        stream = _steps(read_state(training_page.PAGE.controls, {"steps": 0, "hidden": 4}))
        await anext(stream)
        run_of.cache_clear()
        await anext(stream)
        await stream.aclose()
        return run_of.cache_info().misses

    assert run_async(steps()) == 0


def connections(process):
    return [c for c in psutil.Process(process.pid).net_connections() if c.status == "ESTABLISHED"]


def test_training_by_its_buttons_and_what_is_left_when_the_page_closes(browser):
    with explorer() as (url, process):
        page = browser.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/training?steps=0&hidden=4&batch=4")
        settled(page)
        shown = page.locator(".page-side .readouts output")

        def at():
            return int(shown.first.inner_text())

        def reached(sign, step):
            page.wait_for_function(
                f"(step) => document.querySelector('.readouts output').innerText {sign} step",
                arg=step,
            )

        page.get_by_role("button", name="Train").press("Enter")
        reached(">=", 6)
        page.get_by_role("button", name="Pause").press("Enter")
        page.wait_for_url(lambda got: re.search(r"steps=\d", got))
        settled(page)
        paused = at()
        page.wait_for_timeout(400)
        assert at() == paused
        state = {"steps": paused, "hidden": 4, "batch": 4}
        answer = training_page.PAGE.answer(state)
        assert shown.all_inner_texts() == [r["text"] for r in answer["readouts"]]

        page.get_by_role("button", name="One step").press("Enter")
        reached("==", paused + 1)
        page.get_by_role("button", name="Back to the start").press("Enter")
        reached("==", 0)
        looks_right(page)

        page.get_by_role("button", name="Train").press("Enter")
        reached(">=", 3)
        assert complaints == []
        page.close()
        wait_until(lambda: not connections(process))
        wait_until(lambda: idle(process))


def test_a_far_step_comes_in_parts():
    state = {"steps": 12, "hidden": 4, "batch": 4, "seed": 31}
    run = run_of(training_page.settings_of(read_state(training_page.PAGE.controls, state)))
    for steps in range(4):
        assert len(run.upto(12, patience=0)) == steps + 1
    parts = [training_page.PAGE.answer(state, part=True)]
    while parts[-1]["more"]:
        parts.append(training_page.PAGE.answer(state, part=True))
    assert parts[-1] == training_page.PAGE.answer(state)
    assert not parts[-1]["more"]
    assert all(part["moments"] == parts[-1]["moments"][: len(part["moments"])] for part in parts)


def test_a_jump_is_shown_as_it_is_computed_and_gives_way_to_what_is_asked_next(visit):
    page = visit("/training?steps=0&seed=33&layers=3&hidden=64&batch=128")
    asked, answers = [], []
    page.on("request", lambda request: asked.append(json.loads(request.post_data)["steps"]))
    page.on("response", lambda answer: answers.append(answer))
    reached = "(steps) => document.querySelector('.readouts output').innerText >= steps"
    steps = page.get_by_label("steps", exact=True)
    steps.press("End")
    for least in (1, 9):
        page.wait_for_function(reached.replace("innerText", "innerText * 1"), arg=least)
    assert steps.input_value() == "400"
    steps.press("Home")
    page.wait_for_function(reached.replace(">=", "==="), arg="0")
    settled(page)
    shown = [answer.json()["readouts"][0]["value"] for answer in answers]
    far = asked.index(0)
    assert far > 1  # parts were asked for until something else was, and none after
    assert (asked, shown[far:]) == ([400] * far + [0], [0])
    assert shown[:far] == sorted(set(shown[:far]))
    assert 0 < shown[far - 1] < 400


def wait_until(true):
    for _ in range(200):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError


def idle(process):
    """Whether half a second passes in which the process computes nothing."""
    before = sum(psutil.Process(process.pid).cpu_times()[:2])
    time.sleep(0.5)
    return sum(psutil.Process(process.pid).cpu_times()[:2]) - before < 0.03


# Which loss?


def every_answer():
    controls = dict(which_page.PAGE.controls)
    del controls["framework"]
    for values in itertools.product(*[c.options for c in controls.values()]):
        yield dict(zip(controls, values, strict=True))


def called(state, framework):
    """Call what the page says, on its own example."""
    state = {**state, "framework": framework}
    return float(
        value_of(
            which_page.PAGE.answer(state)["call"],
            {name: ARRAYS[framework](a) for name, a in which_page.example(state).items()},
        )
    )


ARRAYS = {
    "torch": lambda a: torch.tensor(a) if np.ndim(a) else torch.tensor(float(a)),
    "plogq_torch": lambda a: torch.tensor(a) if np.ndim(a) else torch.tensor(float(a)),
    "plogq_numpy": lambda a: a,
}


@pytest.mark.parametrize("framework", ARRAYS)
def test_every_call_gives_the_number_of_the_page(framework):
    for state in every_answer():
        expected = which_page.PAGE.answer(state)["answer"]
        assert called(state, framework) == pytest.approx(expected, rel=1e-12), state


def keras_array(a):
    """Return a tensor of the backend that Keras runs on."""
    import keras

    return keras.ops.convert_to_tensor(np.asarray(a))


SINGLE = {
    "keras": keras_array,
    "plogq_keras": keras_array,
    "jax": jnp.asarray,
    "plogq_jax": jnp.asarray,
}


@pytest.mark.parametrize("framework", SINGLE)
def test_calls_in_single_precision_give_it_too(framework, monkeypatch):
    monkeypatch.setitem(ARRAYS, framework, SINGLE[framework])
    for state in every_answer():
        expected = which_page.PAGE.answer(state)["answer"]
        assert called(state, framework) == pytest.approx(expected, rel=1e-5), state


def test_every_form_has_a_call_in_every_framework():
    reached = {which_page.form(state) for state in every_answer()}
    assert {("binary" if kind == "several" else kind, i) for kind, i in reached} == set(CALLS)
    for row in CALLS.values():
        assert list(row) == list(FRAMEWORKS)


def test_what_is_not_asked_changes_nothing():
    for state in every_answer():
        answer = which_page.PAGE.answer(state)
        controls = which_page.PAGE.controls
        left = {name: state[name] for name in answer["asks"] if name != "framework"}
        others = {n: next(iter(c.options)) for n, c in controls.items() if n not in left}
        same = which_page.PAGE.answer({**left, **others})
        answer.pop("state"), same.pop("state")
        if state["task"] not in ("token", "several", "soft", "number") or "labels" in left:
            assert same == answer


def test_the_mistake_is_another_number():
    for state in every_answer():
        right, wrong = (bar["value"] for bar in which_page.PAGE.answer(state)["bars"])
        assert abs(right - wrong) > 0.05 * right


def test_the_floor_of_softmax_twice():
    """A perfect prediction of 10 classes, fed as probabilities: ln(9 + e) − 1."""
    sure = torch.eye(10, dtype=torch.float64)
    wrong = plogq.torch.cross_entropy(sure, torch.arange(10))
    assert float(wrong) == pytest.approx(float(mpmath.log(9 + mpmath.e) - 1), rel=1e-12)


def test_answering_the_questions(visit):
    page = visit("/which_loss")
    assert page.get_by_text("F.cross_entropy(logits, labels)").count() == 1
    page.get_by_label("yes or no").check()
    page.get_by_text("F.binary_cross_entropy_with_logits(logits, target)").wait_for()
    page.get_by_label("some are").check()
    page.get_by_text("pos_weight=pos_weight").first.wait_for()
    page.get_by_label("as probabilities").check()  # then imbalance is not asked
    page.get_by_label("some are").wait_for(state="detached")
    page.get_by_label("Keras", exact=True).check()
    page.get_by_text("keras.losses.BinaryCrossentropy(from_logits=True)").wait_for()
    looks_right(page)


# Quiz

LN2 = mpmath.log(2)


def h(p, q):
    return -mpmath.fsum(a * mpmath.log(b) for a, b in zip(p, q, strict=True))


def softmax(x):
    e = [mpmath.exp(a) for a in x]
    return [a / mpmath.fsum(e) for a in e]


def numbers(text):
    """Give the lists of numbers in a question, and the single ones."""
    text = text.replace("−", "-")
    lists = [[mpmath.mpf(a) for a in m.split(",")] for m in re.findall(r"\(([-\d., ]+)\)", text)]
    single = [mpmath.mpf(a) for a in re.findall(r"-?\d+\.?\d*", re.sub(r"\([^)]*\)", "", text))]
    return lists, single


def oracle(i, ask):
    """Give the right number of a question from its words alone, and those of the mistakes."""
    lists, single = numbers(ask)
    match i:
        case 0:
            p = single[0]
            bits = -mpmath.log(p, 2)
            return bits, {-mpmath.log(p), -mpmath.log10(p), p * bits}
        case 1:
            (p,) = lists
            nats = h(p, p)
            mean = -mpmath.fsum(mpmath.log(a, 2) for a in p) / 3
            return nats / LN2, {nats, mpmath.exp(nats), mean}
        case 2:
            (p,) = lists
            turned = mpmath.fsum(a * b for a, b in zip(p, single[::-1], strict=True))
            right = mpmath.fsum(a * b for a, b in zip(p, single, strict=True))
            return right, {h(p, p) / LN2, mpmath.fsum(single) / len(p), turned}
        case 3:
            p, q = lists
            return h(p, q) / LN2, {h(q, p) / LN2, h(p, q), (h(p, q) - h(p, p)) / LN2}
        case 4:
            p, q = lists
            kl = h(p, q) - h(p, p)
            return kl, {h(q, p) - h(q, q), kl / LN2, h(p, q)}
        case 5:
            x, y = lists[0], int(single[-1])
            loss = -mpmath.log(softmax(x)[y])
            twice = -mpmath.log(softmax(softmax(x))[y])
            return loss, {twice, -mpmath.log(softmax(x)[y - 1]), loss / LN2}
        case 6:
            _, p, label = single
            given = p if label else 1 - p
            return -mpmath.log(given), {
                -mpmath.log(1 - given), (p - label) ** 2, -mpmath.log(given, 2)
            }  # fmt: skip
        case 7:
            q = softmax(lists[0])[int(single[-1])]
            return q - 1, {q, 1 - q, -1 / q}


@pytest.mark.parametrize("i", range(8))
def test_the_choices_are_what_the_question_and_the_mistakes_make(i):
    for seed in range(60):
        question = questions(seed)[i]
        right, wrong = oracle(i, question.ask)
        found = {c.value: letter for letter, c in zip(LETTERS, question.choices, strict=True)}
        mine = next(value for value, letter in found.items() if letter == question.right)
        assert mine == pytest.approx(float(right), rel=1e-9)
        rest = sorted(value for value in found if value != mine)
        assert rest == pytest.approx(sorted(map(float, wrong)), rel=1e-9)
        assert float(value_of(question.code)) == pytest.approx(mine, rel=1e-12)


def categorical(x, y):
    return -mpmath.log(softmax(x)[y])


def ideas_oracle(i, ask):
    """Give, of a question about ideas, what its line must give, and the wrong numbers, if any."""
    lists, single = numbers(ask)
    match i:
        case 0:
            c = single[0]
            return mpmath.log(c), {mpmath.log(c, 2), 1 - 1 / c, mpmath.log(c) / c}
        case 2:
            p, q = lists
            return [h(p, q), h(q, p), h(p, p)], None
        case 3:
            return mpmath.mpf(0), {mpmath.mpf(1), mpmath.log(single[0]), mpmath.inf}
        case 4:
            given = 1 / (1 + mpmath.exp(-single[-1]))
            return [[-mpmath.log(a)] * 2 for a in (1 - given, given)], None  # label 0 or 1
        case 5:
            p = 1 / (1 + mpmath.exp(-single[-1]))
            return [2 * (p - 1) * p * (1 - p), p - 1], None
        case 6:
            c = int(single[0])
            perfect = [mpmath.mpf(1), *[mpmath.mpf(0)] * (c - 1)]
            return [categorical(perfect, 0), softmax(perfect)[0]], None
        case 7:
            c, eps = int(single[0]), single[1]
            target = [1 - eps + eps / c, *[eps / c] * (c - 1)]
            return h(target, target), {mpmath.mpf(0), -mpmath.log(target[0]), eps}


@pytest.mark.parametrize("i", [i for i in range(8) if i != 1])
def test_the_line_of_an_idea_gives_what_it_must(i):
    for seed in range(40):
        question = questions(seed, "ideas")[i]
        expected, wrong = ideas_oracle(i, question.ask)
        given = value_of(question.code)
        if i == 4:
            assert any(given == pytest.approx(list(map(float, e)), rel=1e-12) for e in expected)
        elif isinstance(expected, list):
            assert given == pytest.approx(list(map(float, expected)), rel=1e-12)
        else:
            right = question.choices[LETTERS.index(question.right)].value
            assert float(given) == right == pytest.approx(float(expected), rel=1e-12)
            rest = sorted(c.value for c in question.choices if c.value != right)
            assert rest == pytest.approx(sorted(map(float, wrong)), rel=1e-12)


def test_a_one_hot_truth_leaves_one_surprisal():
    for seed in range(40):
        question = questions(seed, "ideas")[1]
        names = {}
        whole, one = value_of(question.code, names)
        (onehot,), _ = numbers(question.ask)
        q = names["q"][onehot.index(1)]
        assert whole == one == pytest.approx(-math.log(q), rel=1e-12)


def test_what_is_said_of_an_idea_is_computed():
    for seed in range(40):
        asked = questions(seed, "ideas")
        why = [" ".join(c.why for c in q.choices) for q in asked]
        given = [[shown(float(x), 3) for x in np.ravel(value_of(q.code))] for q in asked]
        assert f"H(p, q) is {given[2][0]} nats, and H(q, p) is {given[2][1]} nats" in why[2]
        x = float(numbers(asked[4].ask)[1][-1])
        assert f"give it {shown(1 / (1 + math.exp(-x)), 3)}." in why[4]
        slope, other = (shown(float(x)) for x in value_of(asked[5].code))
        assert f"The gradient is {slope}, as the sigmoid" in why[5]
        assert f"That of cross-entropy is {other}" in why[5]
        assert f"costs {given[6][0]} nats" in why[6]
        assert f"above {given[6][1]}." in why[6]


SEEDS = 400


@pytest.mark.parametrize("about", SETS)
def test_choices_differ_and_the_right_one_is_anywhere(about):
    places = Counter()
    for seed in range(SEEDS):
        for i, question in enumerate(questions(seed, about)):
            assert question.page in PAGES
            assert len({choice.text for choice in question.choices}) == 4
            assert len({choice.why for choice in question.choices}) == 4
            assert bool(question.unit) == all(type(c.value) is float for c in question.choices)
            places[i, question.right] += 1
    for i in range(8):
        assert all(57 < places[i, letter] < 143 for letter in LETTERS)  # 5 deviations around 100


def test_the_right_number_is_of_any_rank():
    ranks = Counter()
    for seed in range(SEEDS):
        for i, question in enumerate(questions(seed)):
            values = sorted(choice.value for choice in question.choices)
            right = question.choices[LETTERS.index(question.right)]
            ranks[i, values.index(right.value)] += 1
    assert all(sum(n for (_, r), n in ranks.items() if r == rank) > 160 for rank in range(4))


@pytest.mark.parametrize("about", SETS)
def test_nothing_is_given_away_before_an_answer(about):
    for seed in range(20):
        right = [question.right for question in questions(seed, about)]
        answers = ["a", *[""] * 7]
        got = quiz_page.PAGE.answer({"about": about, "seed": seed, "answers": answers})
        first, *others = got["questions"]
        assert first["right"] == right[0]
        for asked in others:
            assert asked.keys() == {"page", "ask", "unit", "answer", "choices"}
            assert all(choice.keys() == {"letter", "text"} for choice in asked["choices"])


@pytest.mark.parametrize("about", SETS)
@pytest.mark.parametrize("wrong", range(9))
def test_it_can_be_passed_and_failed(wrong, about):
    right = [question.right for question in questions(7, about)]
    other = [LETTERS[LETTERS.index(letter) - 1] for letter in right]
    answers = other[:wrong] + right[wrong:]
    got = quiz_page.PAGE.answer({"about": about, "seed": 7, "answers": answers})
    assert got["answer"] == score(7, answers, about) == 8 - wrong
    assert got["done"]
    assert got["passed"] == (wrong <= 2)
    assert got["notice"].startswith("Passed" if wrong <= 2 else "Not passed yet")


@pytest.mark.parametrize(
    ("about", "wrong", "verdict"),
    [
        ("numbers", 1, "Passed: 7 of 8"),
        ("numbers", 3, "Not passed yet: 5 of 8"),
        ("ideas", 3, "Not passed yet: 5 of 8"),
    ],
)
def test_the_quiz_is_passed_and_failed_by_keyboard(visit, about, wrong, verdict):
    page = visit("/quiz?seed=7")
    if about == "ideas":
        page.get_by_label("about ideas").press("Space")
        page.get_by_text("Why is −Σ p ln q called").wait_for()
        assert page.get_by_label("about ideas").evaluate("e => e === document.activeElement")
    right = [question.right for question in questions(7, about)]
    answers = [LETTERS[LETTERS.index(letter) - 1] for letter in right[:wrong]] + right[wrong:]
    for i, chosen in enumerate(answers):
        item = page.locator(".quiz > li").nth(i)
        assert item.get_by_role("button", name=f"Answer question {i + 1}").is_disabled()
        item.locator(f"input[value={chosen}]").press("Space")
        item.locator(f"input[value={chosen}]").press("Enter")
        item.locator(".quiz-why").wait_for()
        said = item.locator(".quiz-why > p").first
        assert said.inner_text().startswith("Right." if i >= wrong else f"Not {chosen}.")
        for choice in questions(7, about)[i].choices:
            assert choice.why in item.inner_text()
        assert page.evaluate("document.activeElement.parentElement.className") == "quiz-why"
        assert item.locator("input").first.is_disabled()
    assert page.locator(".quiz-verdict[role=status]").inner_text().startswith(verdict)
    looks_right(page)
    which = "about=ideas&" if about == "ideas" else ""
    page.wait_for_url(f"**/quiz?{which}seed=7&answers={','.join(answers)}")
    before = page.inner_text("main")
    page.reload()
    settled(page)
    assert page.inner_text("main") == before
    page.get_by_role("button", name="New numbers").press("Enter")
    page.get_by_text(ABOUT[about].split(":")[0]).wait_for()
    page.wait_for_url(lambda got: re.search(rf"{which}seed=(?!7$)\d+$", got))


def test_another_set_begins_without_answers(visit):
    page = visit("/quiz?seed=7&answers=a,,,,,,,", "phone")
    page.locator(".quiz-why").wait_for()
    page.get_by_label("about ideas").check()
    page.wait_for_url("**/quiz?about=ideas&seed=7")
    assert page.locator(".quiz-why").count() == 0
    for question in questions(7, "ideas"):
        assert question.ask in page.inner_text(".quiz")
    looks_right(page)


def test_without_a_seed_numbers_are_drawn(visit):
    asked = set()
    for _ in range(3):
        page = visit("/quiz")
        asked.add(page.inner_text(".quiz"))
    assert len(asked) == 3


# Errata


def known_wrong():
    """Give what is known to be in print, of the worked numbers: (as printed, the right one)."""
    for entry in json.loads((ROOT / "tests/data/worked_numbers.json").read_text()):
        for name, printed in entry.get("known_wrong", {"value": {}})["value"].items():
            right = entry["expected"][name]
            if not isinstance(printed, list):
                printed, right = [printed], [right]
            yield from ((float(a), float(b)) for a, b in zip(printed, right, strict=True) if a)


def test_every_known_wrong_figure_is_listed_with_the_right_one():
    listed = [
        (round(abs(wrong), 4), abs(right))
        for erratum in errata()
        for wrong, right in zip(erratum.published, erratum.values, strict=False)
    ]
    assert list(known_wrong())
    for printed, right in known_wrong():
        assert any(
            round(abs(printed), 4) == wrong and abs(right) == pytest.approx(mine, rel=1e-12)
            for wrong, mine in listed
        ), (printed, right)


def log2(x):
    return mpmath.log(x, 2)


HALVES, SURE = [mpmath.mpf("0.5")] * 2, [mpmath.mpf("0.9"), mpmath.mpf("0.1")]
WAYS = [*range(1, 7), *range(5, 0, -1)]
THREE = [mpmath.mpf(x) for x in ("0.7", "0.2", "0.1")]
COIN = [THREE[0], 1 - THREE[0]]
SHOWS = {  # what the line of each erratum gives, from the definitions
    "loss at 0.9": [-log2(mpmath.mpf("0.9"))],
    "loss at 0.6": [-log2(mpmath.mpf("0.6"))],
    "sure of tails": [mpmath.inf],
    "sure of heads": [mpmath.inf],
    "impossible": [mpmath.inf],
    "two dice": [-mpmath.fsum(mpmath.mpf(n) / 36 * log2(mpmath.mpf(n) / 36) for n in WAYS)],
    "sums of dice": [log2(mpmath.mpf(36) / n) for n in (1, 2, 3, 4, 6)],
    "divergence": [(h(HALVES, SURE) - h(HALVES, HALVES)) / LN2],
    "cross-entropy": [h(HALVES, SURE) / LN2],
    "slope at 0.05": [20],
    "minus sign": [-h(HALVES, SURE) / LN2, h(HALVES, SURE) / LN2],
    "nll_loss": [-THREE[0], -mpmath.log(THREE[0])],
    "kl_div": [-h(THREE, THREE) - mpmath.fsum(x * x for x in THREE), 0],
    "a maximum": [mpmath.inf],
    "prefix property": [False, True],
    "forward KL": [h(COIN, q) - h(COIN, COIN) for q in (HALVES, COIN, SURE)],
}


@pytest.mark.parametrize("name", SHOWS)
def test_the_line_of_each_erratum_gives_what_it_must(name):
    erratum = next(e for e in errata() if e.name == name)
    expected = [float(x) for x in SHOWS[name]]
    assert list(erratum.values) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    given = np.ravel(value_of(erratum.code)).astype(float)
    np.testing.assert_allclose(given, expected, rtol=1e-12, atol=1e-15)


def test_every_erratum_has_a_line_that_is_tested():
    assert [e.name for e in errata()] == list(SHOWS)
    for erratum in errata():
        assert erratum.published == () or len(erratum.published) == len(erratum.values)
        assert max(map(len, erratum.code.splitlines())) <= 80


def test_a_statement_says_the_numbers_of_its_line():
    why = {e.name: e.why for e in errata()}
    assert f"returns {shown(-0.7, 2)}" in why["nll_loss"]
    assert f"the loss, {shown(float(SHOWS['nll_loss'][1]))}" in why["nll_loss"]
    assert f"returns {shown(float(SHOWS['kl_div'][0]))}" in why["kl_div"]
    assert f"{shown(float(SHOWS['minus sign'][0]))} bits" in why["minus sign"]
    assert f"{shown(6 * float(mpmath.log(10)))} nats" in why["a maximum"]


def test_how_the_wrong_figures_came_about():
    rounded = DICE.round(2)
    assert round(float(-(rounded * np.log2(rounded)).sum()), 1) == 3.3
    of_sums = next(e for e in errata() if e.name == "sums of dice")
    assert (-np.log2(rounded[[0, 1, 2, 3, 5]])).round(2).tolist() == list(of_sums.published)
    assert round(0.7 * np.log2(1e10), 2) == 23.25
    assert round(0.3 * np.log2(1e10), 2) == 9.97
    assert round(float(0.5 * np.log2(0.5 / 0.9) + 0.5 * 1.322), 3) == 0.237


@pytest.mark.parametrize("context", ["desk", "phone"])
def test_the_list_on_the_page(visit, context):
    page = visit("/errata", context)
    text = page.inner_text("main")
    for erratum in errata():
        for said in (erratum.what, erratum.said, erratum.right, erratum.why):
            assert said in text
    assert page.locator("del").count() == page.locator("ins").count() == len(errata())
    drawn = page.locator(".page-picture svg rect").count()
    assert drawn == len([e for e in errata() if e.published])
    for title in HABITS.values():
        assert page.get_by_role("heading", name=title, exact=True).count() == 1
    looks_right(page)
