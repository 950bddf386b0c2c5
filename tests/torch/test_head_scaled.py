"""A training step in float16 by a GradScaler: the head's gradients beside those of all logits."""

import math

import pytest
import torch

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from tests.torch.head_cases import HIDDEN, LABELS, MATRIX

TEACHER = HIDDEN @ MATRIX.T.flip(1)
HEADS = {
    "mean": lambda h, m: pt.linear_cross_entropy(h, m, LABELS, workspace=2000),
    "one by one": lambda h, m: pt.linear_cross_entropy(
        h, m, LABELS, reduction="none", workspace=2000
    ).mean(),
    "distillation": lambda h, m: pt.linear_distillation_loss(
        h, m, TEACHER.half(), LABELS, beta=0.5, workspace=2000
    ),
}
LOGITS = {
    "mean": lambda z: pt.cross_entropy(z, LABELS),
    "one by one": lambda z: pt.cross_entropy(z, LABELS, reduction="none").mean(),
    "distillation": lambda z: pt.distillation_loss(z, TEACHER, LABELS, beta=0.5),
}


def model():
    """Return an embedding in float16 and a head of it, and their optimiser."""
    # A master copy in float32 is what an optimiser of float16 steps; its gradient is cast to it.
    parameters = [t.float().clone().requires_grad_() for t in (HIDDEN, MATRIX)]
    return parameters, torch.optim.SGD(parameters, lr=1.0)


def step(loss, scale, *, spoiled=False):
    """Take one step of a scaled loss; return loss, steps, gradients that came, and the scaler."""
    parameters, optimiser = model()
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    hidden, matrix = (p.half() for p in parameters)
    found = loss(hidden, matrix)
    if spoiled:
        found = found * torch.tensor(math.inf)
    scaler.scale(found).backward()
    before = [p.detach().clone() for p in parameters]
    scaler.unscale_(optimiser)
    gradients = [p.grad.clone() for p in parameters]
    scaler.step(optimiser)
    scaler.update()
    moved = [(p - b).abs().max().item() for p, b in zip(parameters, before, strict=True)]
    return found.detach(), moved, gradients, scaler


@pytest.mark.parametrize("scale", [1.0, 2.0**16])
@pytest.mark.parametrize("name", HEADS)
def test_a_step_is_that_of_all_logits(name, scale):
    with ENGINES.seen() as seen:
        loss, moved, gradients, scaler = step(HEADS[name], scale)
    assert seen == ["blocks" if name == "distillation" else "native"]

    def of_all(hidden, matrix):
        return LOGITS[name](hidden.float() @ matrix.float().T)

    expected, also_moved, right, _ = step(of_all, scale)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    for mine, other in zip(gradients, right, strict=True):
        torch.testing.assert_close(mine, other, rtol=2e-3, atol=1e-6)
    assert moved == pytest.approx(also_moved, rel=2e-3)
    assert scaler.get_scale() == scale  # nothing was inf


@pytest.mark.parametrize("name", HEADS)
def test_small_gradients_survive_by_the_scale(name):
    """A gradient of 1e-9 is 0 in float16, unless 65,536 multiplies it before it is rounded."""

    def small(hidden, matrix):
        return 1e-7 * HEADS[name](hidden, matrix)

    lost, kept = step(small, 1.0)[2], step(small, 2.0**16)[2]
    expected = step(HEADS[name], 1.0)[2]
    for none, some, right in zip(lost, kept, expected, strict=True):
        assert (none - 1e-7 * right).abs().max() > 0.1e-7 * right.abs().max()
        assert (some - 1e-7 * right).abs().max() <= 2e-2 * 1e-7 * right.abs().max()


@pytest.mark.parametrize("name", HEADS)
def test_a_gradient_that_is_inf_skips_the_step_and_halves_the_scale(name):
    for scale, spoiled in ((2.0**60, False), (2.0, True)):
        loss, moved, gradients, scaler = step(HEADS[name], scale, spoiled=spoiled)
        assert loss.isfinite() != spoiled
        assert not all(g.isfinite().all() for g in gradients)
        assert moved == [0.0, 0.0]
        assert scaler.get_scale() == scale / 2


def test_rows_that_are_left_out_do_not_make_inf_of_a_large_scale():
    """0 · inf of a row that is left out would skip every step."""
    hidden = HIDDEN.half()
    hidden[LABELS == -100] = math.inf
    matrix = MATRIX.half().requires_grad_()
    loss = pt.linear_cross_entropy(hidden, matrix, LABELS)
    torch.amp.GradScaler("cpu", init_scale=2.0**10).scale(loss).backward()
    assert matrix.grad.isfinite().all()
