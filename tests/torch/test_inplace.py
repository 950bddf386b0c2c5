"""inplace=True: the gradient in the logits' memory, and every misuse noticed."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt

Y = torch.tensor([2, 0, 1, 1])


def leaf():
    torch.manual_seed(0)
    return torch.randn(4, 3, requires_grad=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_same_loss_and_gradient(dtype, reduction):
    a, b = leaf(), leaf()
    expected = pt.cross_entropy(a.to(dtype) * 2, Y, reduction=reduction)
    found = pt.cross_entropy(b.to(dtype) * 2, Y, reduction=reduction, inplace=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    expected.sum().backward()
    found.sum().backward()
    torch.testing.assert_close(b.grad, a.grad, rtol=0, atol=0)


def test_the_gradient_is_in_the_logits():
    logits = leaf() * 1
    seen = []
    logits.register_hook(lambda g: seen.append(g.data_ptr()))
    pt.cross_entropy(logits, Y, inplace=True).backward()
    assert seen == [logits.data_ptr()]


def test_a_producer_that_saved_the_logits_raises():
    loss = pt.cross_entropy(leaf().tanh(), Y, inplace=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_logits_changed_afterwards_raise():
    logits = leaf() * 1
    loss = pt.cross_entropy(logits, Y, inplace=True)
    with torch.no_grad():
        logits.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_second_backward_raises(reduction):
    logits = leaf() * 1
    loss = pt.cross_entropy(logits, Y, inplace=True, reduction=reduction).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_second_derivative_is_refused():
    logits = leaf() * 1
    loss = pt.cross_entropy(logits, Y, inplace=True)
    with pytest.raises(ValueError, match="inplace must be False for a second derivative"):
        torch.autograd.grad(loss, logits, create_graph=True)


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[:], lambda x: x.view(4, 3)])
def test_leaves_are_refused(view):
    x = leaf()
    before = x.detach().clone()
    with pytest.raises(ValueError, match="inplace must be False for logits that are a leaf"):
        pt.cross_entropy(view(x), Y, inplace=True)
    assert torch.equal(x, before)


def test_nothing_is_overwritten_where_no_gradient_is_due():
    x = leaf().detach()
    before = x.clone()
    pt.cross_entropy(x, Y, inplace=True)
    with torch.no_grad():
        pt.cross_entropy(leaf(), Y, inplace=True)
    assert torch.equal(x, before)


def test_a_bad_target_is_refused_before_anything_is_overwritten():
    logits = leaf() * 1
    before = logits.detach().clone()
    with pytest.raises(ValueError, match="target"):
        pt.cross_entropy(logits, torch.tensor([0, 1, 2, 3]), inplace=True)
    assert torch.equal(logits, before)


def test_softcap_leaves_a_gradient_that_is_right():
    a, b = leaf(), leaf()
    pt.cross_entropy(a * 1, Y, softcap=1.5).backward()
    pt.cross_entropy(b * 1, Y, softcap=1.5, inplace=True).backward()
    torch.testing.assert_close(a.grad, b.grad)
    c = leaf()
    F.cross_entropy(1.5 * torch.tanh(c / 1.5), Y).backward()
    torch.testing.assert_close(a.grad, c.grad)


def test_a_leaf_that_is_a_view_of_a_parameters_memory_is_refused():
    parameter = torch.nn.Parameter(torch.randn(4, 3))
    before = parameter.detach().clone()
    leaves = [parameter.detach().view(4, 3).requires_grad_(), torch.randn(12)[:].view(4, 3)]
    for z in (leaves[0], leaves[1].requires_grad_()):
        with pytest.raises(ValueError, match="inplace must be False for logits that are a leaf"):
            pt.cross_entropy(z, Y, inplace=True)
    assert torch.equal(parameter, before)


def test_rows_that_share_their_memory_are_refused():
    row = torch.randn(1, 3, requires_grad=True) * 1
    for reduction in ("mean", "none"):
        with pytest.raises(ValueError, match="inplace must be False for expanded logits"):
            pt.cross_entropy(row.expand(4, 3), Y, inplace=True, reduction=reduction)


def test_gradients_in_batches_are_refused():
    logits = leaf() * 1
    loss = pt.cross_entropy(logits, Y, inplace=True, reduction="none")
    with pytest.raises(ValueError, match="inplace must be False for gradients in batches"):
        torch.autograd.grad(loss, logits, torch.eye(4), is_grads_batched=True)
