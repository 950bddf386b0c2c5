"""Binary cross-entropy in Triton against torch's own and float64."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from plogq.torch.engines.triton.elements import multiply
from tests.torch.triton.cases import DTYPES, assert_as_good, exact, logits, value_and_gradient

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")
TARGET = torch.rand(5, 500, generator=torch.Generator().manual_seed(3)).round(decimals=2)
OPTIONS = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "by elements": {"reduction": "none"},
    "weight": {"weight": torch.linspace(0, 2, 5)[:, None]},
    "positive weight": {"pos_weight": torch.linspace(0.5, 3, 500)},
    "one positive weight": {"pos_weight": torch.tensor(2.0), "reduction": "none"},
    "all": {
        "weight": torch.linspace(0, 2, 5)[:, None], "pos_weight": torch.linspace(0.5, 3, 500),
        "mask": torch.arange(500) % 3 > 0, "label_smoothing": 0.1, "denominator": 7.0,
    },
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_is_as_good_as_torch(triton_engine, name, dtype):
    z, t, options = logits(5, 500, dtype, size=9), TARGET.to(dtype), OPTIONS[name]
    z[0, :4] = torch.tensor([6e4, -6e4, 0.0, -0.0])
    ours = pt.binary_cross_entropy_with_logits
    truth = exact(ours, z, t, **options)
    theirs = None, None
    if name != "all":
        theirs = value_and_gradient(F.binary_cross_entropy_with_logits, z, t, **options)
    with ENGINES.seen() as seen:
        found = value_and_gradient(ours, z, t, device=triton_engine, **options)
    assert seen == ["triton"]
    assert found[0].dtype == torch.float32
    assert_as_good(found[0], theirs[0], truth[0], torch.float32)
    assert_as_good(found[1], theirs[1], truth[1], dtype)


def test_targets_at_fault_and_nan(triton_engine):
    z = torch.tensor([0.0, 1.0, torch.nan, torch.inf, -torch.inf, 2.0])
    t = torch.tensor([1.5, -0.1, 0.5, 1.0, 0.0, 0.25])
    loss, gradient, _ = value_and_gradient(
        pt.binary_cross_entropy_with_logits, z, t, device=triton_engine, reduction="none"
    )
    assert loss.isnan().tolist() == [True] * 3 + [False] * 3
    assert gradient.isnan().tolist() == [True] * 3 + [False] * 3
    assert loss[3:5].tolist() == [0.0, 0.0]


def test_a_gradient_times_upstream(triton_engine):
    for shape in ((0,), (7,), (4099,), (3, 5000)):
        for dtype in DTYPES:
            g = torch.randn(shape).to(dtype)
            for upstream in (1.0, 3.0):
                found = g.clone().to(triton_engine)
                multiply(found, torch.tensor(upstream, device=triton_engine))
                torch.testing.assert_close(found.cpu(), g * upstream)
    strided = torch.randn(4, 6).t()
    found = strided.clone().to(triton_engine)
    multiply(found, torch.tensor(2.0, device=triton_engine))
    torch.testing.assert_close(found.cpu(), strided * 2)


def test_a_second_derivative_comes_from_the_formula(triton_engine):
    z = logits(2, 3).to(triton_engine).requires_grad_()
    t = torch.rand(2, 3).to(triton_engine)
    both = []
    for loss in (pt.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits):
        (first,) = torch.autograd.grad(loss(z, t), z, create_graph=True)
        both.append(torch.autograd.grad(first.square().sum(), z)[0])
    torch.testing.assert_close(*both)
