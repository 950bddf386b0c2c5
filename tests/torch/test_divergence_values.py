"""Divergences of two softmaxes: their values and gradients, near, far and beside masked classes."""

import math

import mpmath as mp
import pytest
import torch

import plogq.torch as pt


def exact(a, b, beta=0.5):
    """JS of two rows of logits, and its gradient in the first, to 60 digits."""
    with mp.workdps(60):
        p, q = ([mp.exp(x) for x in row] for row in (a, b))
        p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
        w = mp.mpf(beta)
        m = [w * x + (1 - w) * y for x, y in zip(p, q, strict=True)]
        kl = sum(x * mp.log(x / z) for x, z in zip(p, m, strict=True))
        other = sum(y * mp.log(y / z) for y, z in zip(q, m, strict=True))
        slope = [w * x * (mp.log(x / z) - kl) for x, z in zip(p, m, strict=True)]
        return float(w * kl + (1 - w) * other), [float(g) for g in slope]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [0.5, 0.1, 0.9])
@pytest.mark.parametrize("apart", [1e-6, 1e-3, 0.1, 1.7, 3.0, 10.0, 80.0])
def test_js_divergence_is_exact_near_and_far(apart, beta, dtype):
    torch.manual_seed(0)
    eps = torch.finfo(dtype).eps
    for _ in range(10):
        a = (2 * torch.randn(6, dtype=torch.float64)).to(dtype)
        b = (a + apart * torch.randn(6, dtype=torch.float64)).to(dtype)
        a.requires_grad_()
        loss = pt.js_divergence_loss(a, b, beta=beta)
        value, slope = exact(a.tolist(), b.tolist(), beta)
        assert loss.item() == pytest.approx(value, rel=20 * eps)
        gradient = torch.autograd.grad(loss, a)[0].tolist()
        # Where the two have nothing in common the gradient is what is left of terms of JS's size.
        most = max(abs(g) for g in slope) if apart < 5 else value
        assert gradient == pytest.approx(slope, rel=1e-12, abs=20 * eps * most)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [0.0, 1.0, 0.5, 0.1, 1e-6])
@pytest.mark.parametrize("apart", [1e-6, 1e-3, 1.7, 10.0, 80.0])
def test_distillation_is_exact_near_and_far(apart, beta, dtype):
    """In blocks, whose gradient is written by hand; of the model, β and the two trade places."""
    torch.manual_seed(0)
    eps = torch.finfo(dtype).eps
    for _ in range(10):
        teacher = (2 * torch.randn(6, dtype=torch.float64)).to(dtype)
        student = (teacher + apart * torch.randn(6, dtype=torch.float64)).to(dtype)
        student.requires_grad_()
        loss = pt.distillation_loss(student, teacher, temperature=1.0, beta=beta)
        value, slope = of_student(student.tolist(), teacher.tolist(), beta)
        assert loss.item() == pytest.approx(value, rel=20 * eps)
        gradient = torch.autograd.grad(loss, student)[0].tolist()
        most = max(abs(g) for g in slope) if apart < 5 else value
        assert gradient == pytest.approx(slope, rel=1e-12, abs=20 * eps * most)


def of_student(a, b, beta):
    """Return `exact` of student a and teacher b; of β = 0 and 1 the relative entropies."""
    if 0 < beta < 1:
        with mp.workdps(60):
            return exact(a, b, 1 - mp.mpf(beta))
    with mp.workdps(60):
        q, p = ([mp.exp(x) for x in row] for row in (a, b))
        q, p = [x / sum(q) for x in q], [x / sum(p) for x in p]
        if beta == 0:
            value = sum(x * mp.log(x / y) for x, y in zip(p, q, strict=True))
            return float(value), [float(y - x) for x, y in zip(p, q, strict=True)]
        value = sum(y * mp.log(y / x) for x, y in zip(p, q, strict=True))
        slope = [y * (mp.log(y / x) - value) for x, y in zip(p, q, strict=True)]
        return float(value), [float(g) for g in slope]


@pytest.mark.parametrize("beta", [1e-8, 1e-3, 0.25, 0.999, 1 - 1e-8])
def test_js_divergence_of_far_rows_has_both_gradients_to_the_last_digits(beta):
    """Derived from the values, they had none left where one row is all but sure."""
    torch.manual_seed(1)
    for _ in range(30):
        a = 2 * torch.randn(6, dtype=torch.float64)
        b = a + 20 * torch.randn(6, dtype=torch.float64)
        pair = a.requires_grad_(), b.requires_grad_()
        found = torch.autograd.grad(pt.js_divergence_loss(*pair, beta=beta), pair)
        with mp.workdps(60):
            expected = [
                exact(*rows, beta=w)[1]
                for rows, w in (
                    ((a.tolist(), b.tolist()), mp.mpf(beta)),
                    ((b.tolist(), a.tolist()), 1 - mp.mpf(beta)),
                )
            ]
        for gradient, slope in zip(found, expected, strict=True):
            bound = 1e-14 * max(abs(g) for g in slope)
            assert gradient.tolist() == pytest.approx(slope, rel=0, abs=bound)


@pytest.mark.parametrize("gap", [20.0, 50.0, 90.0, 200.0, math.inf])
def test_js_divergence_has_a_gradient_where_a_class_is_all_but_impossible(gap):
    x = torch.tensor([[0.0, -gap, -1.0]], requires_grad=True)
    y = torch.tensor([[0.0, -1.0, -gap]], requires_grad=True)
    loss = pt.js_divergence_loss(x, y)
    p = math.exp(-1) / (1 + math.exp(-1))
    assert loss.item() == pytest.approx(p * math.log(2), rel=1e-6)
    slope = p * (1 - p) * math.log(2) / 2  # of p log(2) / 2, the share of the class of x alone
    for gradient, own in zip(torch.autograd.grad(loss, (x, y)), (2, 1), strict=True):
        expected = [[-slope, 0.0, 0.0]]
        expected[0][own] = slope
        torch.testing.assert_close(gradient, torch.tensor(expected), rtol=1e-5, atol=1e-7)


def test_a_class_that_the_student_masks_has_the_same_gradient_by_every_route(route):
    student = torch.tensor([[1.0, -math.inf, 0.5], [0.3, 0.2, 0.1]], requires_grad=True)
    teacher = torch.tensor([[0.1, 0.7, 0.2], [1.0, -math.inf, 0.0]])
    for temperature in (1.0, 2.0):
        rows = pt.distillation_loss(student, teacher, temperature=temperature, reduction="none")
        assert rows[0] == math.inf
        assert rows[1].isfinite()
        gradient = torch.autograd.grad(rows.sum(), student)[0]
        p, q = ((z / temperature).softmax(1) for z in (teacher, student.detach()))
        torch.testing.assert_close(gradient, temperature * (q - p))


@pytest.mark.parametrize("gap", [30.0, 85.0, 88.0, 95.0, 100.0, 103.0, 110.0, 500.0])
def test_distillation_where_the_teacher_all_but_rules_a_class_out(gap, route):
    """Below 1.2e-38 a float32 has fewer digits, which no exp(88) may multiply."""
    student = torch.tensor([[0.0, 0.0, 0.0]], requires_grad=True)
    loss = pt.distillation_loss(student, torch.tensor([[0.0, 0.0, -gap]]), temperature=1.0)
    p = 1 / (2 + math.exp(-gap))
    expected = 2 * p * math.log(3 * p) + (1 - 2 * p) * (math.log(3 / 2) - gap)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    gradient = torch.autograd.grad(loss, student)[0]
    expected = torch.tensor([[1 / 3 - p, 1 / 3 - p, 1 / 3 - math.exp(-gap) * p]])
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=0)
