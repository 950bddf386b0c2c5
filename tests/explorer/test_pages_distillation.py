"""Distillation: the loss, its gradient and the teacher's wrong classes, by mpmath and PyTorch."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import plogq
import plogq.torch as pt
from plogq.explorer.pages import PAGES
from plogq.explorer.shown import shown
from tests.explorer.conftest import cut_off, looks_right
from tests.explorer.states import states


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(40):
        yield


def softmax(logits, temperature=1):
    powers = [mpmath.exp(mpf(x) / mpf(temperature)) for x in logits]
    return [power / mpmath.fsum(powers) for power in powers]


def soft_loss(student, teacher, temperature):
    """Give T² KL(p ‖ q)."""
    pairs = zip(softmax(teacher, temperature), softmax(student, temperature), strict=True)
    return mpf(temperature) ** 2 * mpmath.fsum(p * mpmath.log(p / q) for p, q in pairs)


def size_of(student, teacher, temperature):
    """Give the length of the gradient of T² KL by the student's logits."""
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return temperature * mpmath.norm([b - a for a, b in zip(p, q, strict=True)])


def near(got, expected, tolerance=1e-11):
    return math.isclose(got, expected, rel_tol=tolerance, abs_tol=1e-300)


def answer(**state):
    got = PAGES["distillation"].answer(state)
    return got, [figure["value"] for figure in got["readouts"]]


def test_the_gradient_is_the_derivative():
    teacher, student, temperature = [8.0, 5.0, 1.0, 0.0], [3.0, 1.0, 2.0, 0.0], 3.0
    slopes = [
        mpmath.diff(
            lambda x, j=j: soft_loss([*student[:j], x, *student[j + 1 :]], teacher, temperature),
            mpf(student[j]),
        )
        for j in range(4)
    ]
    assert near(mpmath.norm(slopes), size_of(student, teacher, temperature))
    got, _ = answer(alpha=1.0)
    assert all(near(c["grad"]["value"], s) for c, s in zip(got["classes"], slopes, strict=True))
    got, _ = answer(alpha=0.0)
    truth = [1, 0, 0, 0]
    for c, q, t in zip(got["classes"], softmax(student), truth, strict=True):
        assert near(c["grad"]["value"], q - t)


@settings(max_examples=40)
@given(data=st.data())
def test_any_state_against_the_definition(data):
    got = PAGES["distillation"].answer(data.draw(states(PAGES["distillation"])))
    state = got["state"]
    teacher, student, t = state["teacher"], state["student"], state["temperature"]
    label, alpha = state["label"], mpf(state["alpha"])
    soft, plain, hard, mixed, size, without = (r["value"] for r in got["readouts"])
    kl = soft_loss(student, teacher, t)
    entropy = -mpmath.log(softmax(student)[label])
    scale = max(map(abs, teacher + student))
    tiny = 1e-15 * (1 + t * scale)  # a difference of nearly equal distributions
    assert math.isclose(soft, kl, rel_tol=1e-9, abs_tol=tiny * t)
    assert math.isclose(plain, kl / mpf(t) ** 2, rel_tol=1e-9, abs_tol=tiny / t)
    assert near(hard, entropy)
    assert math.isclose(mixed, alpha * kl + (1 - alpha) * entropy, rel_tol=1e-9, abs_tol=tiny * t)
    assert math.isclose(size, size_of(student, teacher, t), rel_tol=1e-9, abs_tol=tiny)
    assert without == size / t**2
    for c, p, q in zip(got["classes"], softmax(teacher, t), softmax(student, t), strict=True):
        assert near(c["teacher"]["value"], p)
        assert near(c["student"]["value"], q)


@settings(max_examples=40)
@given(data=st.data())
def test_it_is_the_loss_of_the_torch_door(data):
    got = PAGES["distillation"].answer(data.draw(states(PAGES["distillation"])))
    state = got["state"]
    logits = (torch.tensor([state[who]], dtype=torch.float64) for who in ("student", "teacher"))
    loss = pt.distillation_loss(
        *logits, torch.tensor([state["label"]]),
        temperature=state["temperature"], alpha=state["alpha"],
    )  # fmt: skip
    assert got["answer"] == pytest.approx(loss.item(), rel=1e-9, abs=1e-12)


@settings(max_examples=40)
@given(data=st.data())
def test_the_wrong_classes_share_what_the_label_does_not_get(data):
    got = PAGES["distillation"].answer(data.draw(states(PAGES["distillation"])))
    state = got["state"]
    label, names = state["label"], state["names"][:4]
    temperatures = list(dict.fromkeys([1.0, state["temperature"]]))
    assert len(got["wrong"]) == len(temperatures)
    for stack, t in zip(got["wrong"], temperatures, strict=True):
        probs = softmax(state["teacher"], t)
        rest = mpmath.fsum(p for j, p in enumerate(probs) if j != label)
        expected = {name: p / rest for name, p in zip(names, probs, strict=True)}
        assert [part["name"] for part in stack["parts"]] == [
            name for j, name in enumerate(names) if j != label
        ]
        assert all(near(part["value"], expected[part["name"]]) for part in stack["parts"])
        if t == state["temperature"]:
            assert f"gives {shown(float(rest))} to the classes that are not" in got["notice"]


def test_the_sizes_over_the_temperature():
    got, values = answer(temperature=7.0)
    state, sizes = got["state"], got["sizes"]
    for (t, size), (other, less) in zip(sizes["with"], sizes["without"], strict=True):
        assert t == other
        assert near(size, size_of(state["student"], state["teacher"], t), 1e-10)
        assert near(less, mpf(size) / mpf(t) ** 2)
    assert [point["size"] for point in sizes["points"]] == values[4:]
    assert {point["temperature"] for point in sizes["points"]} == {7.0}


def test_without_t_squared_the_gradient_falls_as_one_by_t_squared():
    student, teacher = np.array([3.0, 1.0, 2.0, 0.0]), np.array([8.0, 5.0, 1.0, 0.0])

    def without(t):
        grad = plogq.distillation_from_logits(student, teacher, temperature=t).grad
        return np.linalg.norm(grad) / t**2

    assert without(1000.0) / without(2000.0) == pytest.approx(4, rel=5e-3)


def test_for_a_large_t_it_learns_the_logits():
    student, teacher = np.array([3.0, 1.0, -4.0, 0.0]), np.array([2.0, 5.0, -6.0, -1.0])
    assert student.mean() == teacher.mean() == 0
    grad = plogq.distillation_from_logits(student, teacher, temperature=1e5).grad
    assert grad == pytest.approx((student - teacher) / 4, rel=1e-3, abs=1e-4)


def test_the_readers_names_are_in_what_is_said():
    got, _ = answer(names=["owl", "", "wolf", "eel"], label=2)
    assert [c["name"] for c in got["classes"]] == ["owl", "dog", "wolf", "eel"]
    assert "the classes that are not wolf" in got["notice"]
    assert "goes to owl and" in got["notice"]
    assert "to eel: the label" in got["notice"]


def test_what_is_said_at_the_edges():
    same = [1.0, 2.0, 3.0, 4.0]
    got, values = answer(teacher=same, student=same)
    assert got["notice"].endswith("agrees with the teacher, so nothing pulls on it.")
    assert values[0] == values[4] == 0
    got, _ = answer(teacher=[5.0, 0.0, 0.0, 0.0], temperature=1.0)
    assert "It gives each of them the same." in got["notice"]
    assert "; at T = 1" not in got["notice"]
    got, _ = answer(temperature=0.5, teacher=[10.0, -10.0, -10.0, -10.0])
    assert "gives 1.27×10⁻¹⁷ to" in got["notice"]


@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize(
    "query",
    [
        "teacher=8,5,1,0&student=8,5,1,0", "temperature=1", "temperature=20&alpha=1",
        "names=" + ",".join(["W" * 16] * 4),
        "temperature=0.5&teacher=10,-10,-10,-10&student=-10,10,-10,-10&alpha=0",
        "teacher=1,1,1,1&student=1,1,1,1.1&label=3",
    ],
)  # fmt: skip
def test_the_pictures_at_their_ends(query, context, visit):
    page = visit(f"/distillation?{query}", context)
    looks_right(page)
    # The 0 of the stacks' axis is centred on its left end.
    assert [part for part in cut_off(page) if not part.endswith(">0</text>")] == []
