"""Derivatives of every order and every transform, against differences and against each other."""

import pytest
import torch
import torch.utils.checkpoint
from torch.autograd import forward_ad
from torch.nn import functional as F

import plogq.torch as pt

Y = torch.tensor([2, 0, -100, 1])
SOFT = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]).double()
W = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
RW = torch.tensor([1.0, 0.5, 3.0, 0.25], dtype=torch.float64)
TEACHER = torch.tensor(
    [[1.0, 0.0, -1.0], [0.3, 0.2, 0.1], [2.0, 2.0, 1.0], [0.0, 1.0, 4.0]]
).double()
KEEP = torch.tensor([True, True, False, True])


def logits():
    torch.manual_seed(3)
    return torch.randn(4, 3, dtype=torch.float64, requires_grad=True)


EVERYTHING = {"weight": W, "label_smoothing": 0.1, "z_loss": 0.3, "temperature": 1.7}
LOSSES = {
    "plain": lambda x: pt.cross_entropy(x, Y),
    "none": lambda x: pt.cross_entropy(x, Y, reduction="none"),
    "everything": lambda x: pt.cross_entropy(x, Y, **EVERYTHING, row_weight=RW, softcap=2.5),
    "soft": lambda x: pt.cross_entropy(x, SOFT, **EVERYTHING, mask=KEEP, row_weight=RW),
    "focal": lambda x: pt.focal_loss(x, Y, weight=W),
    "soft focal": lambda x: pt.focal_loss(x, SOFT, 1.5, label_smoothing=0.1),
    "brier": lambda x: pt.brier_loss(x, Y, z_loss=0.1),
    "soft brier": lambda x: pt.brier_loss(x, SOFT, temperature=2.0),
    "distillation": lambda x: pt.distillation_loss(x, TEACHER, Y, temperature=2.0, alpha=0.3),
    "confidence": lambda x: pt.confidence_penalty(x),
    "js": lambda x: pt.js_divergence_loss(x, TEACHER),
    "gaussian": lambda x: pt.gaussian_kl(x, TEACHER),
    "gaussian variance": lambda x: pt.gaussian_kl(TEACHER, x, reduction="none"),
    "bce": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT),
    "bce none": lambda x: pt.binary_cross_entropy_with_logits(
        x, SOFT, pos_weight=W, reduction="none"
    ),
    "bce of probabilities": lambda x: pt.binary_cross_entropy(x.sigmoid(), SOFT),
    "binary focal": lambda x: pt.binary_focal_loss(x, SOFT, 1.5, 0.3),
    "nll": lambda x: pt.nll_loss(x, Y, W),
    "kl": lambda x: pt.kl_div(F.log_softmax(x, 1), SOFT, reduction="batchmean"),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@each_loss
def test_gradients_equal_differences(loss, route):
    assert torch.autograd.gradcheck(loss, logits())
    assert torch.autograd.gradgradcheck(loss, logits())


@each_loss
def test_both_routes_agree(loss, monkeypatch):
    x = logits()
    fast = loss(x)
    fast_gradient = torch.autograd.grad(fast.sum(), x)[0]
    monkeypatch.setattr("plogq.torch._kernel.takes", lambda *_: False)
    monkeypatch.setattr("plogq.torch._binary_kernel.takes", lambda *_: False)
    slow = loss(x)
    torch.testing.assert_close(fast, slow, rtol=1e-13, atol=1e-15)
    slow_gradient = torch.autograd.grad(slow.sum(), x)[0]
    torch.testing.assert_close(fast_gradient, slow_gradient, rtol=1e-12, atol=1e-15)


# torch's own first call of jvp scripts its decompositions.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@each_loss
def test_functional_transforms(loss):
    x = logits().detach()

    def total(x):
        return loss(x).sum()

    y = x.clone().requires_grad_()
    expected = torch.autograd.grad(total(y), y)[0]
    torch.testing.assert_close(torch.func.grad(total)(x), expected)
    tangent = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).reshape(x.shape)
    value, slope = torch.func.jvp(total, (x,), (tangent,))
    torch.testing.assert_close(value, total(x))
    torch.testing.assert_close(slope, (expected * tangent).sum())
    batch = torch.stack([x, x + tangent, 2 * x])
    one_by_one = torch.stack([torch.func.grad(total)(one) for one in batch])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(total))(batch), one_by_one)
    forward = torch.func.jacfwd(torch.func.grad(total))(x)
    torch.testing.assert_close(forward, torch.func.jacrev(torch.func.grad(total))(x))
    with forward_ad.dual_level():
        dual = total(forward_ad.make_dual(x, tangent))
        torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, slope)


def test_gradients_per_sample():
    """The commonest use of vmap and grad together: one gradient for each example of a batch."""
    model = torch.nn.Linear(5, 3, dtype=torch.float64)
    data, label = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 2, 1, 1])

    def loss_of(parameters, x, y):
        return pt.cross_entropy(torch.func.functional_call(model, parameters, (x,)), y)

    parameters = {k: v.detach() for k, v in model.named_parameters()}
    found = torch.func.vmap(torch.func.grad(loss_of), (None, 0, 0))(parameters, data, label)
    for i in range(4):
        expected = torch.autograd.grad(
            F.cross_entropy(model(data[i]), label[i]), list(model.parameters())
        )
        torch.testing.assert_close(found["weight"][i], expected[0])


def test_second_backward_needs_retain_graph_and_gives_the_same(route):
    x = logits()
    loss = pt.cross_entropy(x, Y)
    first = torch.autograd.grad(loss, x, retain_graph=True)[0]
    second = torch.autograd.grad(loss, x)[0]
    torch.testing.assert_close(first, second, rtol=1e-14, atol=0)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(loss, x)


def test_upstream_scales_the_gradient(route):
    x = logits()
    expected = torch.autograd.grad(F.cross_entropy(x, Y), x)[0]
    found = torch.autograd.grad(1024 * pt.cross_entropy(x, Y), x)[0]
    torch.testing.assert_close(found, 1024 * expected)


def test_a_target_changed_before_backward_is_noticed():
    y = Y.clone()
    loss = pt.cross_entropy(logits(), y, reduction="none").sum()
    y[0] = 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_float16_gradients_do_not_underflow_under_loss_scaling():
    x = torch.zeros(70_000, 2, dtype=torch.float16, requires_grad=True)
    loss = pt.cross_entropy(x, torch.zeros(70_000, dtype=torch.int64))
    (2.0**16 * loss).backward()
    expected = -0.5 * 2**16 / 70_000
    assert x.grad[0, 0].item() == pytest.approx(expected, rel=1e-3)


def test_large_gradients_are_handed_over_without_a_copy():
    x = torch.zeros(2048, 1024, requires_grad=True)
    taken = []
    x.register_hook(lambda g: taken.append(g.data_ptr()))
    pt.cross_entropy(x, torch.zeros(2048, dtype=torch.int64)).backward()
    assert x.grad.data_ptr() == taken[0]


def test_under_activation_checkpointing():
    x = logits()

    def step(x):
        return pt.cross_entropy(x.tanh(), Y)

    loss = torch.utils.checkpoint.checkpoint(step, x, use_reentrant=False)
    torch.testing.assert_close(torch.autograd.grad(loss, x), torch.autograd.grad(step(x), x))
