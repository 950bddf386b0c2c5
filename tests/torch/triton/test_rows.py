"""The row kernel against the formulas in float64, within a multiple of torch's own error."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from plogq.torch.engines.triton.configurations import row_tile
from plogq.torch.engines.triton.rows import run_rows
from plogq.torch.softmax import question
from tests.torch.triton.cases import (
    DTYPES,
    EDGE_LABELS,
    EDGES,
    OPTIONS,
    arguments,
    assert_as_good,
    exact,
    logits,
    value_and_gradient,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")
OURS = {"z_loss", "temperature", "softcap", "gamma", "row_weight", "mask", "denominator",
        "return_stats", "validate"}  # fmt: skip


def torch_own(x, target, dtype, options):
    """Return torch's loss and gradient in the dtype; None where torch has not all options."""
    if OURS & options.keys() - {"validate"}:
        return None, None
    options = {k: v for k, v in options.items() if k != "validate"}
    if "weight" in options:
        options["weight"] = options["weight"].to(dtype)
    return value_and_gradient(F.cross_entropy, x, target, **options)[:2]


@pytest.mark.matrix
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("classes", [37, 8200])  # rows that are whole, and that are not
@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_is_as_good_as_torch(triton_engine, name, classes, reduction, dtype):
    check(triton_engine, name, classes, reduction, dtype)


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_once(triton_engine, name):
    """Each option in the not so slow tests, with dtypes, widths and reductions in turn."""
    turn = list(OPTIONS).index(name)
    classes = 8200 if turn % 6 == 0 else 37
    check(triton_engine, name, classes, ("mean", "none")[turn // 2 % 2], DTYPES[turn % 3])


def check(device, name, classes, reduction, dtype):
    x = logits(5, classes, dtype)
    target, options = arguments(name, x, dtype)
    if reduction == "none":
        options.pop("denominator", None)
    options["reduction"] = reduction
    truth = exact(pt.cross_entropy, x, target, **options)
    theirs = torch_own(x, target, dtype, options)
    with ENGINES.seen() as seen:
        found = value_and_gradient(pt.cross_entropy, x, target, device=device, **options)
    assert seen == ["triton"]
    assert found[0].dtype == torch.float32
    assert found[1].dtype == dtype
    # The loss is not rounded to the dtype, as torch's is.
    assert_as_good(found[0], theirs[0], truth[0], torch.float32)
    assert_as_good(found[1], theirs[1], truth[1], dtype)
    if found[2] is not None:
        for ours, exactly in zip(found[2], truth[2], strict=True):
            assert_as_good(ours, None, exactly, torch.float32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.3}, {"softcap": 30.0}])
def test_masked_classes_and_huge_logits(triton_engine, dtype, options):
    """−inf, ±6e4, ties, a loss below 1e-30; with smoothing, a masked target costs inf."""
    x = EDGES.to(dtype)
    for target in (EDGE_LABELS, EDGE_LABELS.flip(0)):
        given = {"reduction": "none", **options}
        truth = exact(pt.cross_entropy, x, target, **given)
        found = value_and_gradient(pt.cross_entropy, x, target, device=triton_engine, **given)
        for row in range(len(x)):  # each by its own size: a small loss keeps its digits
            assert_as_good(found[0][row], None, truth[0][row], torch.float32, times=4)
            assert_as_good(found[1][row], None, truth[1][row], dtype, times=4)


def test_a_small_loss_keeps_its_digits(triton_engine):
    x = torch.tensor([[70.0, 0.0, -1.0]])
    found = pt.cross_entropy(x.to(triton_engine), torch.tensor([0]).to(triton_engine))
    exactly = torch.tensor([0.0, -1.0], dtype=torch.float64).sub(70).exp().sum()
    torch.testing.assert_close(found.cpu().double(), exactly, rtol=2e-5, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_at_fault_are_nan(triton_engine, dtype):
    """NaN, +inf, no class at all; a label that is no class; a distribution that is none."""
    x = logits(6, 9, dtype)
    x[0, 3], x[1, 3], x[2] = torch.nan, torch.inf, -torch.inf
    y = torch.tensor([0, 1, 2, 9, -1, 4])
    loss, gradient, _ = value_and_gradient(
        pt.cross_entropy, x, y, device=triton_engine, reduction="none"
    )
    assert loss.isnan().tolist() == [True] * 5 + [False]
    assert gradient.isnan().all(1).tolist() == [True] * 5 + [False]
    soft = logits(3, 9, seed=2).softmax(1)
    soft[1] *= 1.5
    soft[2, :2] += torch.tensor([-1.0, 1.0])
    for validate, expected in ((True, [False, True, True]), (False, [False] * 3)):
        loss, gradient, _ = value_and_gradient(
            pt.cross_entropy, logits(3, 9, dtype), soft.to(dtype), device=triton_engine,
            reduction="none", validate=validate,
        )  # fmt: skip
        assert loss.isnan().tolist() == expected
        assert gradient.isnan().all(1).tolist() == expected


WIDE = [
    pytest.param(
        classes, dtype, name,
        marks=() if name == "plain" and dtype == torch.bfloat16 else pytest.mark.slow,
    )
    for classes in (151936, 50257, 32001)
    for dtype in DTYPES
    for name in ("plain", "all")
]  # fmt: skip


@pytest.mark.parametrize(("classes", "dtype", "name"), WIDE)
def test_wide_rows(triton_engine, classes, dtype, name):
    """Vocabularies of real models; rows of odd ones begin where no whole vector does."""
    x = logits(3, classes, dtype)
    target, options = arguments(name, x, dtype)
    options["reduction"] = "none"
    truth = exact(pt.cross_entropy, x, target, **options)
    theirs = torch_own(x, target, dtype, options)
    found = value_and_gradient(pt.cross_entropy, x, target, device=triton_engine, **options)
    assert not row_tile(classes, x.element_size(), sums=0).whole
    assert_as_good(found[0], theirs[0], truth[0], torch.float32)
    assert_as_good(found[1], theirs[1], truth[1], dtype)


@pytest.mark.parametrize(
    ("rows", "classes"),
    [(131, 1), (131, 10), (131, 17), *(pytest.param(4093, c, marks=pytest.mark.slow)
                                      for c in (1, 2, 10, 16, 17, 64, 1000))],
)  # fmt: skip
def test_many_rows(triton_engine, rows, classes):
    """A prime number of rows, so that the last tile is never full; one class, too."""
    x = logits(rows, classes)
    y = torch.arange(rows) % classes
    y[::7] = -100
    truth = exact(pt.cross_entropy, x, y)
    found = value_and_gradient(pt.cross_entropy, x, y, device=triton_engine)
    torch.testing.assert_close(found[0].double(), truth[0], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(found[1].double(), truth[1], rtol=1e-5, atol=1e-9)


LAYOUTS = {
    "transposed": lambda x: x.T.contiguous().T,
    "every other row": lambda x: torch.stack([x, x * torch.nan], 1)[:, 0],
    "padded rows": lambda x: F.pad(x, (0, 7), value=torch.nan)[:, : x.shape[1]],
    "begins in the middle": lambda x: torch.cat([x.new_full((1,), torch.nan), x.flatten()])[1:]
    .view(x.shape),
    "expanded": lambda x: x[:1].expand(x.shape),
}  # fmt: skip


@pytest.mark.parametrize("classes", [12, pytest.param(8205, marks=pytest.mark.slow)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_strides(triton_engine, layout, classes):
    """The gradient has the layout of the logits, and what lies between them is not read."""
    x = LAYOUTS[layout](logits(5, classes, torch.bfloat16).to(triton_engine))
    target, options = arguments("distributions, all", logits(5, classes), torch.float32)
    truth = exact(pt.cross_entropy, x.cpu(), target, **options)
    z = x.detach().requires_grad_()
    given = {k: v.to(x.device) if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    loss, _ = pt.cross_entropy(z, target.T.contiguous().T.to(x.device), **given)
    loss.backward()
    assert_as_good(loss.detach().cpu(), None, truth[0], torch.float32)
    assert_as_good(z.grad.cpu(), None, truth[1], torch.bfloat16)


@pytest.mark.parametrize("shape", [(2, 5, 40), (2, 5, 7, 9), (5,), (0, 5), (1, 1)])
def test_maps_and_empty_batches(triton_engine, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    y = torch.zeros(x.shape[:1] + x.shape[2:] if x.ndim > 1 else (), dtype=torch.int64)
    truth = exact(pt.cross_entropy, x, y)
    found = value_and_gradient(pt.cross_entropy, x, y, device=triton_engine)
    torch.testing.assert_close(found[0].double(), truth[0])
    torch.testing.assert_close(found[1].double(), truth[1], rtol=1e-5, atol=1e-8)


def test_the_first_of_tied_maxima_is_the_prediction(triton_engine):
    """Among the lanes of a tile, and among tiles."""
    x = torch.zeros(3, 9000)
    x[1, [77, 78, 8999]], x[2, [4100, 8192]] = 3.0, 2.0
    y = torch.tensor([0, 78, 8192]).to(triton_engine)
    _, stats = pt.cross_entropy(x.to(triton_engine), y, return_stats=True)
    assert stats.argmax.tolist() == [0, 77, 4100]
    assert pt.cross_entropy(x[:, :40].to(triton_engine), y * 0, return_stats=True)[
        1
    ].argmax.tolist() == [0, 0, 0]


def test_a_denominator_of_0_divides_as_1(triton_engine):
    x, y = logits(3, 20), torch.tensor([1, 2, 3])
    found = [
        value_and_gradient(pt.cross_entropy, x, y, device=triton_engine, denominator=d)[:2]
        for d in (0.0, 1.0)
    ]
    assert all(map(torch.equal, *found))


def test_nothing_left(triton_engine):
    x = logits(3, 20).fill_(torch.nan)
    found = value_and_gradient(
        pt.cross_entropy, x, torch.full((3,), -100), device=triton_engine, return_stats=True
    )
    assert found[0] == 0
    assert not found[1].any()
    assert found[2][0].tolist() == [-torch.inf] * 3


@pytest.mark.parametrize("stride", [(2**31, 1), (1, 2**31), (2**31 + 3, 1), (2**32 - 5, 3)])
def test_addresses_past_two_to_the_31(triton_engine, stride):
    """Rows, or classes, that lie 2³¹ elements apart, in memory of which few pages are touched."""
    count, classes = (2, 9) if stride[0] > stride[1] else (9, 2)
    reach = 1 + sum(s * (n - 1) for s, n in zip(stride, (count, classes), strict=True))
    if reach > 2**32 + 100:
        count, classes = min(count, 2), min(classes, 2)
        reach = 1 + sum(s * (n - 1) for s, n in zip(stride, (count, classes), strict=True))
    room = torch.empty(reach, dtype=torch.bfloat16, device=triton_engine)
    x = room.as_strided((count, classes), stride)
    small = logits(count, classes, torch.bfloat16)
    x.copy_(small)
    target = torch.arange(count) % classes
    truth = exact(pt.cross_entropy, small, target, reduction="none")
    _, rows = question(
        x, target.to(triton_engine), weight=None, ignore_index=-100, reduction="none",
        label_smoothing=0.0, options={},
    )  # fmt: skip
    losses, _ = run_rows(x, rows, gradient=x)
    torch.testing.assert_close(losses.cpu().double(), truth[0], rtol=1e-6, atol=1e-6)
    scale = torch.linspace(1.0, 0.5, count)[:, None]
    torch.testing.assert_close(x.cpu().double() * scale, truth[1], rtol=1e-2, atol=1e-4)


def test_the_gradient_may_overwrite_the_logits(triton_engine):
    x, y = logits(5, 300).to(triton_engine), torch.arange(5).to(triton_engine)
    expected = value_and_gradient(pt.cross_entropy, x, y, device=triton_engine)[1]
    leaf = x.clone().requires_grad_()
    middle = leaf * 1
    pt.cross_entropy(middle, y, inplace=True).backward()
    torch.testing.assert_close(leaf.grad.cpu(), expected)
    torch.testing.assert_close(middle.detach().cpu(), expected)


def test_derivatives_beyond_the_first_come_from_the_formula(triton_engine):
    """A second derivative, gradients in batches, and a backward that is repeated."""
    x, y = logits(3, 5).to(triton_engine).requires_grad_(), torch.tensor([0, 3, -100])
    y = y.to(triton_engine)
    for options in ({}, {"reduction": "none"}, {"label_smoothing": 0.1, "z_loss": 0.1}):
        loss = pt.cross_entropy(x, y, **options).sum()
        (first,) = torch.autograd.grad(loss, x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x)
        z = x.detach().clone().requires_grad_()
        with torch.enable_grad():
            whole = F.cross_entropy(
                z, y, label_smoothing=options.get("label_smoothing", 0.0),
                reduction="none" if "reduction" in options else "mean",
            ).sum()  # fmt: skip
            if "z_loss" in options:
                whole = whole + 0.1 * (z.logsumexp(1)[:2] ** 2).mean()
        (one,) = torch.autograd.grad(whole, z, create_graph=True)
        (two,) = torch.autograd.grad(one.square().sum(), z)
        torch.testing.assert_close(first, one, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(second, two, rtol=1e-4, atol=1e-6)
        loss = pt.cross_entropy(x, y, **options).sum()
        again = [torch.autograd.grad(loss, x, retain_graph=True)[0] for _ in range(2)]
        torch.testing.assert_close(*again)


def test_learned_row_weights(triton_engine):
    x, y = logits(4, 6).to(triton_engine), torch.arange(4).to(triton_engine)
    weight = torch.rand(4, device=triton_engine).requires_grad_()
    pt.cross_entropy(x, y, row_weight=weight, reduction="sum").backward()
    torch.testing.assert_close(weight.grad, F.cross_entropy(x, y, reduction="none"))
