"""Values that cannot be read while torch traces or transforms: what eager refuses is NaN there.

Each loss with each check of values that it has, in every way in which its values are not known: it
is refused, or its loss and its gradient are NaN, and never a number.
"""

import functools
import math

import pytest
import torch
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

import plogq.torch as pt

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

X = torch.tensor([[4.0, 0.0, 1.0], [1.0, 2.0, 3.0]])
LOGS = X.log_softmax(1)
PROBS = X.sigmoid()
Y = torch.tensor([0, 2])
SOFT = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
W = torch.tensor([0.5, 2.0, 1.0])
BAD_LABELS = {"beyond": torch.tensor([0, 5]), "negative": torch.tensor([0, -1])}
BAD_ROWS = {
    "negative": torch.tensor([[0.5, 0.25, 0.25], [2.0, -1.0, 0.0]]),
    "short": torch.tensor([[0.5, 0.25, 0.25], [0.3, 0.3, 0.3]]),
    "NaN": torch.tensor([[0.5, 0.25, 0.25], [math.nan, 0.5, 0.5]]),
}
BAD_SHARES = {
    "beyond": torch.tensor([[0.5, 1.5, 0.25], [0.0, 1.0, 0.0]]),
    "negative": torch.tensor([[0.5, -0.5, 0.25], [0.0, 1.0, 0.0]]),
    "NaN": torch.tensor([[0.5, math.nan, 0.25], [0.0, 1.0, 0.0]]),
}


def batchmean(x, t, **options):
    return pt.kl_div(x, t, reduction="batchmean", **options)


OF_LABELS = {
    "cross_entropy": pt.cross_entropy,
    "cross_entropy of rows": lambda x, y: pt.cross_entropy(x, y, reduction="none"),
    "cross_entropy with weights": lambda x, y: pt.cross_entropy(x, y, W, label_smoothing=0.1),
    "cross_entropy with both": lambda x, y: pt.cross_entropy(x, y, gamma=1.0, label_smoothing=0.1),
    "focal_loss": pt.focal_loss,
    "generalised_cross_entropy": pt.generalised_cross_entropy,
    "poly_loss": pt.poly_loss,
    "brier_loss": pt.brier_loss,
    "brier_loss unchecked": lambda x, y: pt.brier_loss(x, y, validate=False),
    "distillation_loss": lambda x, y: pt.distillation_loss(x, X.flip(0), y),
    "distillation_loss without it": lambda x, y: pt.distillation_loss(x, X.flip(0), y, alpha=1.0),
    "nll_loss": lambda x, y: pt.nll_loss(x.log_softmax(-1), y, W),
}
OF_ROWS = {
    "cross_entropy": pt.cross_entropy,
    "soft_cross_entropy": lambda x, t: pt.soft_cross_entropy(x, t, W),
    "focal_loss": pt.focal_loss,
    "focal_loss without weight": lambda x, t: pt.focal_loss(x, t, row_weight=torch.zeros(2)),
    "generalised_cross_entropy": pt.generalised_cross_entropy,
    "poly_loss": pt.poly_loss,
    "brier_loss": pt.brier_loss,
    "distillation_loss": lambda x, t: pt.distillation_loss(x, X.flip(0), t),
}
OF_SHARES = {
    "binary_cross_entropy": lambda z, t: pt.binary_cross_entropy(z.sigmoid(), t),
    "binary_cross_entropy_with_logits": pt.binary_cross_entropy_with_logits,
    "binary_focal_loss": pt.binary_focal_loss,
    "asymmetric_loss": pt.asymmetric_loss,
    "smoothed": lambda z, t: pt.binary_focal_loss(z, t, label_smoothing=0.5),
}
WITH_DENOMINATOR = {
    "cross_entropy": lambda x, d: pt.cross_entropy(x, Y, denominator=d),
    "soft_cross_entropy": lambda x, d: pt.soft_cross_entropy(x, SOFT, denominator=d),
    "focal_loss": lambda x, d: pt.focal_loss(x, SOFT, denominator=d),
    "brier_loss": lambda x, d: pt.brier_loss(x, Y, denominator=d),
    "distillation_loss": lambda x, d: pt.distillation_loss(x, X.flip(0), denominator=d),
    "confidence_penalty": lambda x, d: pt.confidence_penalty(x, denominator=d),
    "js_divergence_loss": lambda x, d: pt.js_divergence_loss(x, X.flip(0), denominator=d),
    "reverse_kl_loss": lambda x, d: pt.reverse_kl_loss(X.flip(0), x, denominator=d),
    "nll_loss": lambda x, d: pt.nll_loss(x.log_softmax(-1), Y, denominator=d),
    "kl_div": lambda x, d: batchmean(x.log_softmax(-1), SOFT, denominator=d),
    "gaussian_kl": lambda x, d: pt.gaussian_kl(x, SOFT, denominator=d),
    "binary_cross_entropy": lambda x, d: pt.binary_cross_entropy(x.sigmoid(), SOFT, denominator=d),
    "binary_cross_entropy_with_logits": lambda x, d: pt.binary_cross_entropy_with_logits(
        x, SOFT, denominator=d
    ),
    "binary_focal_loss": lambda x, d: pt.binary_focal_loss(x, SOFT, denominator=d),
}
# name: (loss of two tensors, the first that is differentiated, the second at fault or not)
CASES = {
    **{
        f"{name}: {kind} label": (loss, X, bad)
        for name, loss in OF_LABELS.items()
        for kind, bad in BAD_LABELS.items()
    },
    **{
        f"{name}: {kind} distribution": (loss, X, bad)
        for name, loss in OF_ROWS.items()
        for kind, bad in BAD_ROWS.items()
    },
    **{
        f"{name}: {kind} target": (loss, X, bad)
        for name, loss in OF_SHARES.items()
        for kind, bad in BAD_SHARES.items()
    },
    **{
        f"{name}: negative denominator": (loss, X, torch.tensor(-3.0))
        for name, loss in WITH_DENOMINATOR.items()
    },
    "denominator of NaN": (WITH_DENOMINATOR["cross_entropy"], X, torch.tensor(math.nan)),
    "infinite denominator": (WITH_DENOMINATOR["cross_entropy"], X, torch.tensor(math.inf)),
    "binary_cross_entropy: input beyond": (pt.binary_cross_entropy, PROBS + 1, SOFT),
    "binary_cross_entropy: negative input": (pt.binary_cross_entropy, PROBS - 1, SOFT),
    "kl_div: input of probabilities": (batchmean, PROBS, SOFT),
    "kl_div: negative target": (batchmean, LOGS, BAD_SHARES["negative"]),
    "kl_div: NaN target": (batchmean, LOGS, BAD_SHARES["NaN"]),
    "kl_div: target that is no log": (
        lambda x, t: batchmean(x, t, log_target=True), LOGS, PROBS,
    ),
    "nll_loss: probabilities": (pt.nll_loss, PROBS, Y),
    "nll_loss: logits": (pt.nll_loss, X, Y),
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def fresh_compiler():
    torch.compiler.reset()


def value_and_gradient(loss, x, other):
    x = x.clone().requires_grad_()
    value = loss(x, other)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


@functools.cache
def graph_of(loss):
    """Compile a loss once: its graph is the same for every value."""
    return torch.compile(loss, fullgraph=True, backend="eager")


def compiled(loss, x, other):
    return value_and_gradient(graph_of(loss), x, other)


def in_vmap(loss, x, other):
    each = torch.stack([x, x]), torch.stack([other, other])
    gradient = torch.func.grad(lambda a, b: loss(a, b).sum())
    return torch.func.vmap(loss)(*each), torch.func.vmap(gradient)(*each)


def in_transforms(loss, x, other):
    def total(a):
        return loss(a, other).sum()

    slope, value = torch.func.grad_and_value(total)(x)
    torch.testing.assert_close(torch.func.jacrev(total)(x), slope, equal_nan=True)
    return value, slope


def forwards(loss, x, other):
    with forward_ad.dual_level():
        found = loss(forward_ad.make_dual(x, torch.ones_like(x)), other).sum()
        value, slope = forward_ad.unpack_dual(found)
    return value, slope


def traced(loss, x, other):
    graph = make_fx(lambda a, b: loss(a, b))(x, other)
    value = graph(x, other)
    return value, value


WAYS = {f.__name__: f for f in (compiled, in_vmap, in_transforms, forwards, traced)}


@pytest.mark.matrix
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_what_eager_refuses_is_refused_or_nan(name, way):
    loss, x, other = CASES[name]
    if "unchecked" not in name:
        with pytest.raises(ValueError, match="must"):
            loss(x, other)
    try:
        value, gradient = WAYS[way](loss, x, other)
    except (ValueError, RuntimeError, IndexError):
        return
    assert value.isnan().any()
    assert gradient.isnan().any()


def brier_rows(x, y):
    return pt.brier_loss(x, y, reduction="none") + 0.0 * y.sum()


def focal_rows(x, t):
    return pt.focal_loss(x, t, reduction="none") + 0.0 * t.sum().detach()


def binary_focal_rows(z, t):
    return pt.binary_focal_loss(z, t, reduction="none").sum(-1) + 0.0 * t.sum().detach()


def nll_rows(x, y):
    return pt.nll_loss(x.log_softmax(-1), y, reduction="none") + 0.0 * y.sum()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", [0, 1])
def test_one_row_at_fault_is_one_nan(row, way):
    y, t, shares = Y.clone(), SOFT.clone(), SOFT.clone()
    y[row], t[row, 0], shares[row, 1] = 5, 2.0, 1.5
    losses = [(brier_rows, y), (focal_rows, t), (binary_focal_rows, shares), (nll_rows, y)]
    for loss, target in losses:
        rows, _ = WAYS[way](loss, X, target)
        if way == "in_transforms" or way == "forwards":
            continue  # which sum the rows
        assert (rows.isnan().reshape(-1, 2) == (torch.arange(2) == row)).all()


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_is_left_out_may_be_anything(way):
    keep = torch.tensor([True, False])
    y, t = torch.tensor([0, 5]), BAD_ROWS["NaN"]
    for loss, target, good in (
        (lambda x, y: pt.brier_loss(x, y, mask=keep), y, torch.tensor([0, 0])),
        (lambda x, y: pt.focal_loss(x, y, ignore_index=5), y, torch.tensor([0, 5])),
        (lambda x, t: pt.focal_loss(x, t, mask=keep), t, SOFT),
    ):
        expected = value_and_gradient(loss, X, good)[0]
        value, gradient = WAYS[way](loss, X, target)
        torch.testing.assert_close(value.mean(), expected)
        assert not gradient.isnan().any()


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_a_compiled_graph_says_so_too(backend):
    def losses(x, y, shares, t):
        return torch.stack(
            [
                pt.brier_loss(x, y),
                pt.brier_loss(x, t),
                pt.binary_focal_loss(x, shares),
                batchmean(x.sigmoid(), SOFT),
                pt.nll_loss(x, Y),
            ]
        )

    torch.compiler.reset()
    whole = torch.compile(losses, fullgraph=True, backend=backend)
    x = X.clone().requires_grad_()
    found = whole(x, BAD_LABELS["beyond"], BAD_SHARES["beyond"], BAD_ROWS["short"])
    assert found.isnan().all()
    assert torch.autograd.grad(found.sum(), x)[0].isnan().any()
