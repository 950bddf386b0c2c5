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
    "generalised": lambda x: pt.generalised_cross_entropy(x, Y, 0.4, W),
    "soft generalised": lambda x: pt.generalised_cross_entropy(x, SOFT, label_smoothing=0.1),
    "poly": lambda x: pt.poly_loss(x, Y, -1.0, W, z_loss=0.1),
    "soft poly": lambda x: pt.poly_loss(x, SOFT, temperature=2.0),
    "brier": lambda x: pt.brier_loss(x, Y, z_loss=0.1),
    "soft brier": lambda x: pt.brier_loss(x, SOFT, temperature=2.0),
    "distillation": lambda x: pt.distillation_loss(x, TEACHER, Y, temperature=2.0, alpha=0.3),
    "distillation by reverse KL": lambda x: pt.distillation_loss(x, TEACHER, beta=1, z_loss=0.1),
    "distillation of beta": lambda x: pt.distillation_loss(x, TEACHER, Y, beta=0.3, alpha=0.6),
    "confidence": lambda x: pt.confidence_penalty(x),
    "js": lambda x: pt.js_divergence_loss(x, TEACHER),
    "js of beta": lambda x: pt.js_divergence_loss(TEACHER, x, beta=0.2, temperature=2.0),
    "reverse KL": lambda x: pt.reverse_kl_loss(TEACHER, x),
    "reverse KL of the truth": lambda x: pt.reverse_kl_loss(x, TEACHER, temperature=2.0),
    "gaussian": lambda x: pt.gaussian_kl(x, TEACHER),
    "gaussian variance": lambda x: pt.gaussian_kl(TEACHER, x, reduction="none"),
    "bce": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT),
    "bce none": lambda x: pt.binary_cross_entropy_with_logits(
        x, SOFT, pos_weight=W, reduction="none"
    ),
    "bce of probabilities": lambda x: pt.binary_cross_entropy(x.sigmoid(), SOFT),
    "binary focal": lambda x: pt.binary_focal_loss(x, SOFT, 1.5, 0.3),
    "binary focal, all options": lambda x: pt.binary_focal_loss(
        x, SOFT, weight=W, pos_weight=W, label_smoothing=0.1, mask=SOFT > 0.1, ignore_index=1
    ),
    "asymmetric": lambda x: pt.asymmetric_loss(x, SOFT, pos_weight=W),
    "nll": lambda x: pt.nll_loss(F.log_softmax(x, 1), Y, W),
    "kl": lambda x: pt.kl_div(F.log_softmax(x, 1), SOFT, reduction="batchmean"),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
# torch's own first call of jvp scripts its decompositions.
JVP = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@each_loss
def test_gradients_equal_differences(loss, route):
    assert torch.autograd.gradcheck(loss, logits())
    assert torch.autograd.gradgradcheck(loss, logits())


@each_loss
def test_both_routes_agree(loss):
    x = logits()
    fast = loss(x)
    fast_gradient = torch.autograd.grad(fast.sum(), x)[0]
    with pt.engine("formula"):
        slow = loss(x)
    torch.testing.assert_close(fast, slow, rtol=1e-13, atol=1e-15)
    slow_gradient = torch.autograd.grad(slow.sum(), x)[0]
    torch.testing.assert_close(fast_gradient, slow_gradient, rtol=1e-12, atol=1e-15)


@JVP
@each_loss
def test_transforms_of_a_backward_alone(loss):
    """The loss is computed outside; what is batched, or has a tangent, is its upstream."""
    x = logits()
    found = loss(x)
    upstreams = torch.randn(3, *found.shape, dtype=found.dtype)

    def gradient(upstream):
        return torch.autograd.grad(found, x, upstream, retain_graph=True)[0]

    one_by_one = torch.stack([gradient(upstream) for upstream in upstreams])
    close = {"rtol": 1e-10, "atol": 1e-12}
    torch.testing.assert_close(torch.func.vmap(gradient)(upstreams), one_by_one, **close)
    twice = torch.func.vmap(torch.func.vmap(gradient))(upstreams[None])
    torch.testing.assert_close(twice[0], one_by_one, **close)
    with forward_ad.dual_level():
        both = forward_ad.unpack_dual(gradient(forward_ad.make_dual(*upstreams[:2])))
        torch.testing.assert_close(both.primal, one_by_one[0], **close)
        torch.testing.assert_close(both.tangent, one_by_one[1], **close)


@JVP
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


@pytest.mark.parametrize("loss", [pt.cross_entropy, pt.brier_loss])
def test_learned_row_weights_are_in_the_divisor_too(loss, route):
    x, w = logits(), RW.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, w: loss(x, Y, row_weight=w), (x, w))
    assert torch.autograd.gradgradcheck(lambda x, w: loss(x, Y, row_weight=w), (x, w))


def test_learned_targets_and_class_weights(route):
    x, t, w = logits(), SOFT.clone().requires_grad_(), W.clone().requires_grad_()
    given = {"validate": False}
    for loss in (pt.soft_cross_entropy, pt.cross_entropy):
        assert torch.autograd.gradcheck(lambda x, t, w, f=loss: f(x, t, w, **given), (x, t, w))
    assert torch.autograd.gradcheck(lambda w: pt.cross_entropy(x.detach(), Y, w), w)
    F.cross_entropy(x, SOFT, w).backward()
    expected, w.grad = w.grad, None
    pt.cross_entropy(x, SOFT, w).backward()
    torch.testing.assert_close(w.grad, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_sum_of_two_terms_is_rounded_once(dtype):
    """The gradient in half precision is that in float32, rounded; not a sum of two roundings."""
    x, teacher = torch.randn(64, 9).to(dtype), torch.randn(64, 9)
    label = torch.randint(9, (64,))
    found = []
    for z in (x.clone().requires_grad_(), x.float().requires_grad_()):
        loss = pt.distillation_loss(z, teacher.to(z.dtype), label)
        found.append(torch.autograd.grad(loss, z)[0])
    wide = pt.distillation_loss(wanted := x.float().requires_grad_(), teacher.to(dtype), label)
    expected = torch.autograd.grad(wide, wanted)[0].to(dtype)
    assert torch.equal(found[0], expected)


INF = torch.inf
IMPOSSIBLE = [
    ({}, torch.tensor([0, 2])),
    ({"label_smoothing": 0.1}, torch.tensor([0, 2])),
    ({"weight": W}, torch.tensor([0, 2])),
    ({"gamma": 1.5}, torch.tensor([0, 2])),
    ({}, torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]).double()),
    ({"label_smoothing": 1.0}, torch.tensor([0, 2])),
    ({"label_smoothing": 1.0}, torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]).double()),
]


@pytest.mark.parametrize(("options", "target"), IMPOSSIBLE)
def test_an_impossible_target_has_torchs_gradient(options, target, route):
    """Every way to ask: eagerly, with a graph of the gradient, and through torch.func."""
    x = torch.tensor([[-INF, 0.0, 1.0], [0.5, 0.0, -1.0]], dtype=torch.float64)

    def loss_of(z):
        return pt.cross_entropy(z, target, reduction="sum", **options)

    z = x.clone().requires_grad_()
    loss = loss_of(z)
    found = torch.autograd.grad(loss, z)[0]
    again = torch.autograd.grad(loss_of(z), z, create_graph=True)[0]
    torch.testing.assert_close(again.detach(), found)
    torch.testing.assert_close(torch.func.grad(loss_of)(x), found)
    assert not found.isnan().any()
    smoothing = options.get("label_smoothing", 0.0)
    assert loss.isinf() == (smoothing < 1)
    if not options:  # where torch's own is finite
        expected = torch.autograd.grad(F.cross_entropy(z, target, reduction="sum"), z)[0]
        torch.testing.assert_close(found, expected)


def test_a_row_of_nothing_but_masked_classes_is_nan_as_in_torch(route):
    x, y = torch.full((1, 3), -INF), torch.tensor([0])
    assert F.cross_entropy(x, y).isnan()
    for options in ({}, {"label_smoothing": 0.1}, {"z_loss": 0.1}):
        assert pt.cross_entropy(x, y, **options).isnan()


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"gamma": 1.0}, {"z_loss": 0.1}])
def test_an_infinite_logit_is_nan_as_in_torch(options, route):
    x = torch.tensor([[INF, 0.0, 1.0]])
    for label in (0, 1):
        assert F.cross_entropy(x, torch.tensor([label])).isnan()
        assert pt.cross_entropy(x, torch.tensor([label]), **options).isnan()


BATCHED = {
    "mean": lambda x: pt.cross_entropy(x, Y, W, label_smoothing=0.1),
    "none": lambda x: pt.cross_entropy(x, Y, W, reduction="none"),
    "map": lambda x: pt.cross_entropy(
        x.T.repeat(40, 1, 1).movedim(0, 2)[:3], Y[:3, None].expand(3, 40), reduction="none"
    ),
    "bce": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, pos_weight=W),
    "bce none": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, reduction="none"),
}


@pytest.mark.parametrize("loss", BATCHED.values(), ids=BATCHED)
def test_gradients_in_batches(loss, route):
    x = logits()
    assert torch.autograd.gradcheck(loss, x, check_batched_grad=True)
    vectorised = torch.autograd.functional.jacobian(loss, x, vectorize=True)
    torch.testing.assert_close(vectorised, torch.autograd.functional.jacobian(loss, x))


def test_logits_may_change_once_the_gradient_is_there(route):
    """As in torch, whose backward needs its output alone."""
    found = []
    for loss_of in (F.cross_entropy, pt.cross_entropy):
        x = logits()
        z = x * 1
        loss = loss_of(z, Y)
        z.add_(1)
        found.append(torch.autograd.grad(loss, x)[0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", ["target", "weight", "row_weight", "mask", "pos_weight"])
def test_whatever_a_gradient_still_needs_is_noticed_when_it_changes(name):
    x, kind = logits(), {"reduction": "none"}
    given = {"target": Y.clone(), "weight": W.clone(), "mask": KEEP.clone()}
    if name == "pos_weight":
        w = W.clone()
        loss = pt.binary_cross_entropy_with_logits(x, SOFT, pos_weight=w, **kind)
        w.mul_(2)
    elif name == "row_weight":  # a float16 gradient waits for what comes from upstream
        loss = pt.cross_entropy(x.half(), SOFT, row_weight=(v := RW.float()))
        v.mul_(2)
    else:
        loss = pt.cross_entropy(x, **given, **kind)
        given[name].logical_not_() if name == "mask" else given[name].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"z_loss": 0.1}])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_something_can_be_added_to_a_loss_in_place(reduction, options):
    """As models with an auxiliary loss do."""
    x = logits()
    loss = pt.cross_entropy(x, Y, reduction=reduction, **options)
    alone = torch.autograd.grad(loss.sum(), x, retain_graph=True)[0]
    loss += 3 * (x * x).sum()
    count = 4 if reduction == "none" else 1
    found = torch.autograd.grad(loss.sum(), x)[0]
    torch.testing.assert_close(found, alone + count * 6 * x.detach())
