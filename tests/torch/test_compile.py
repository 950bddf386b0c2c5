"""torch.compile keeps every loss whole in one graph, with the same numbers."""

import pytest
import torch

import plogq.torch as pt

# What torch.compile has to say of torch's own insides.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")

Y = torch.tensor([2, 0, -100, 1])
SOFT = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
RW = torch.tensor([1.0, 0.5, 3.0, 0.25])
W = torch.tensor([0.5, 2.0, 1.0])
KEEP = torch.tensor([True, True, False, True])


def logits(*shape):
    torch.manual_seed(0)
    return torch.randn(shape or (4, 3))


LOSSES = {
    "plain": lambda x: pt.cross_entropy(x, Y),
    "none": lambda x: pt.cross_entropy(x, Y, reduction="none"),
    "weighted": lambda x: pt.cross_entropy(
        x, Y, W, label_smoothing=0.1, z_loss=0.01, temperature=2.0, row_weight=RW, softcap=3.0
    ),
    "soft": lambda x: pt.cross_entropy(x, SOFT, mask=KEEP, denominator=torch.tensor(7.0)),
    "stats": lambda x: (
        sum(pt.cross_entropy(x, Y, return_stats=True)[1].lse[:2]) + pt.cross_entropy(x, Y)
    ),
    "focal": lambda x: pt.focal_loss(x, Y),
    "soft focal": lambda x: pt.focal_loss(x, SOFT),
    "brier": lambda x: pt.brier_loss(x, Y),
    "distillation": lambda x: pt.distillation_loss(x, x.flip(0), Y),
    "confidence": pt.confidence_penalty,
    "js": lambda x: pt.js_divergence_loss(x, SOFT),
    "gaussian": lambda x: pt.gaussian_kl(x, SOFT),
    "bce": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, pos_weight=W),
    "bce of probabilities": lambda x: pt.binary_cross_entropy(x.sigmoid(), SOFT),
    "binary focal": lambda x: pt.binary_focal_loss(x, SOFT, alpha=0.25),
    "nll": lambda x: pt.nll_loss(x.log_softmax(1), Y),
    "kl": lambda x: pt.kl_div(x.log_softmax(1), SOFT, reduction="batchmean"),
    "module": pt.CrossEntropyLoss(label_smoothing=0.2, z_loss=1e-3),
}


def value_and_gradient(loss, x):
    x = x.clone().requires_grad_()
    value = loss(x).sum()
    value.backward()
    return value.detach(), x.grad


@pytest.mark.parametrize("name", LOSSES)
def test_one_graph_same_numbers(name):
    loss = LOSSES[name]
    if name == "module":
        module, loss = loss, lambda x: module(x, Y)
    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found, expected = value_and_gradient(compiled, logits()), value_and_gradient(loss, logits())
    torch.testing.assert_close(found, expected)


def test_inductor_and_dynamic_shapes():
    torch.compiler.reset()

    def step(w, x, y):
        return pt.cross_entropy(x @ w, y, label_smoothing=0.1)

    compiled = torch.compile(step, fullgraph=True, dynamic=True)
    w = logits(6, 5).requires_grad_()
    for rows in (4, 9):
        x, y = logits(rows, 6), torch.arange(rows) % 5
        found = torch.autograd.grad(compiled(w, x, y), w)[0]
        torch.testing.assert_close(found, torch.autograd.grad(step(w, x, y), w)[0])


def test_the_operator_keeps_its_promises():
    """torch's own check of schema, fake tensors and autograd registration."""
    x = logits().requires_grad_()
    options = (-100, [0.1, 0.0, 2.0, 0.01])
    for moments in (False, True):
        arguments = (x, Y, W, KEEP, *options, True, moments)
        torch.library.opcheck(torch.ops.plogq.row_losses.default, arguments)
    arguments = (torch.ones(4), x.detach(), Y, W, KEEP, *options)
    torch.library.opcheck(torch.ops.plogq.row_losses_gradient.default, arguments)


def test_targets_are_checked_inside_the_graph():
    torch.compiler.reset()
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend="aot_eager")
    with pytest.raises(ValueError, match=r"target must be a class index .* row 1"):
        compiled(logits(2, 3), torch.tensor([0, 3]))


STRIDED = {
    "transposed": lambda a: a.t(),
    "of a product": lambda a: (torch.eye(3, dtype=a.dtype) @ a).t(),
    "map": lambda a: a.t().reshape(1, 3, 2, 2).expand(1, 3, 2, 2),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_strided_logits_in_every_dtype(dtype, backend):
    for name, view in STRIDED.items():
        torch.compiler.reset()
        y = torch.tensor([[[2, 0], [-100, 1]]]) if name == "map" else Y

        def loss(a, view=view, y=y):
            return pt.cross_entropy(view(a), y, label_smoothing=0.1)

        x = logits(3, 4).to(dtype)
        compiled = torch.compile(loss, fullgraph=True, backend=backend)
        found, expected = value_and_gradient(compiled, x), value_and_gradient(loss, x)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_operator_keeps_its_promises_on_strided_logits(dtype):
    x = logits(3, 4).to(dtype).t().requires_grad_()
    arguments = (x, Y, W.to(dtype), KEEP, -100, [0.1, 0.0, 2.0, 0.01], True, False)
    torch.library.opcheck(torch.ops.plogq.row_losses.default, arguments)
    upstream = torch.ones((), dtype=dtype).expand(4)
    arguments = (upstream, x.detach(), Y, W.to(dtype), KEEP, *arguments[4:6])
    torch.library.opcheck(torch.ops.plogq.row_losses_gradient.default, arguments)


def test_labels_are_refused_by_torch_where_not_by_us():
    torch.compiler.reset()
    compiled = torch.compile(pt.brier_loss, fullgraph=True, backend="aot_eager")
    with pytest.raises((RuntimeError, IndexError), match="out of bounds"):
        compiled(logits(2, 3), torch.tensor([0, 3]))
