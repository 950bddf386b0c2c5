"""Every kind of tensor behaves as it does in torch."""

import logging

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.kernels import rows as kernel
from plogq.torch.engines import ENGINES

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
LAYOUTS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.T.contiguous().T,
    "every other row": lambda x: x.repeat_interleave(2, 0)[::2],
    "every other class": lambda x: x.repeat_interleave(2, 1)[:, ::2],
    "offset": lambda x: F.pad(x, (1, 2, 3, 1))[3:-1, 1:-2],
    "negated view": lambda x: torch.imag(torch.complex(x, -x).conj()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, route):
    torch.manual_seed(0)
    base = torch.randn(5, 70)
    y = torch.randint(70, (5,))
    soft = torch.rand(5, 70).softmax(1)
    for target in (y, soft, LAYOUTS[layout](soft)):
        x = base.clone().requires_grad_()
        loss = pt.cross_entropy(LAYOUTS[layout](x), target)
        gradient = torch.autograd.grad(loss, x)[0]
        z = base.clone().requires_grad_()
        expected = F.cross_entropy(z, target)
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(gradient, torch.autograd.grad(expected, z)[0])


@pytest.mark.parametrize("what", ["rows", "classes"])
def test_expanded(what, route):
    base = torch.randn(1, 7) if what == "rows" else torch.randn(5, 1)
    y = torch.arange(5)
    a, b = base.clone().requires_grad_(), base.clone().requires_grad_()
    loss, expected = pt.cross_entropy(a.expand(5, 7), y), F.cross_entropy(b.expand(5, 7), y)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(a.grad, b.grad, atol=1e-7, rtol=1e-5)
    binary = pt.binary_cross_entropy_with_logits(base.expand(5, 7), torch.ones(()).expand(5, 7))
    torch.testing.assert_close(binary, F.softplus(-base.expand(5, 7)).mean())


def test_channels_last(route):
    x = torch.randn(2, 9, 4, 3).to(memory_format=torch.channels_last).requires_grad_()
    y = torch.randint(9, (2, 4, 3))
    loss = pt.cross_entropy(x, y)
    loss.backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last)
    z = x.detach().clone().requires_grad_()
    expected = F.cross_entropy(z, y)
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(x.grad, z.grad)


def test_zero_size(route):
    x = torch.empty(0, 5, requires_grad=True)
    y = torch.empty(0, dtype=torch.int64)
    assert pt.cross_entropy(x, y, reduction="none").shape == (0,)
    loss = pt.cross_entropy(x, y)
    assert loss.item() == 0  # torch: nan
    loss.backward()
    assert x.grad.shape == (0, 5)
    x = torch.empty(3, 5, 0)
    assert pt.cross_entropy(x, torch.empty(3, 0, dtype=torch.int64), reduction="none").shape == (
        3,
        0,
    )
    empty = torch.empty(0, 2)
    assert pt.binary_cross_entropy_with_logits(empty, empty).item() == 0
    assert pt.binary_cross_entropy(empty, empty).item() == 0


def test_one_class(route):
    x = torch.randn(4, 1, requires_grad=True)
    loss = pt.cross_entropy(x, torch.zeros(4, dtype=torch.int64), label_smoothing=0.1)
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_meta(dtype):
    x = torch.empty(4, 5, 3, dtype=dtype, device="meta", requires_grad=True)
    y = torch.empty(4, 3, dtype=torch.int64, device="meta")
    expected = torch.float64 if dtype == torch.float64 else torch.float32
    for reduction, shape in (("none", (4, 3)), ("mean", ()), ("sum", ())):
        loss = pt.cross_entropy(x, y, reduction=reduction)
        assert (loss.device.type, loss.shape, loss.dtype) == ("meta", shape, expected)
        assert torch.autograd.grad(loss.sum(), x)[0].dtype == dtype
    assert pt.binary_cross_entropy_with_logits(x, x).shape == ()
    assert pt.kl_div(x, x, reduction="batchmean").shape == ()


def test_fake():
    with torch._subclasses.FakeTensorMode():
        x = torch.randn(4, 5, requires_grad=True)
        loss = pt.cross_entropy(x, torch.zeros(4, dtype=torch.int64))
        loss.backward()
        assert (loss.shape, x.grad.shape) == ((), (4, 5))


def test_read_only_memory():
    import numpy as np

    array = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        x = torch.from_numpy(array)
    y = torch.tensor([0, 1, 2, 3])
    torch.testing.assert_close(pt.cross_entropy(x, y), F.cross_entropy(x, y))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_any_integer_labels(dtype, route):
    x, y = torch.randn(4, 5), torch.tensor([0, 4, 2, 2])
    torch.testing.assert_close(pt.cross_entropy(x, y.to(dtype)), F.cross_entropy(x, y))
    x = x.log_softmax(1)
    torch.testing.assert_close(pt.nll_loss(x, y.to(dtype)), F.nll_loss(x, y))


@pytest.mark.parametrize("logits", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_mixed_dtypes(logits, target, route):
    x = torch.randn(4, 5).to(logits).requires_grad_()
    t = torch.randn(4, 5).to(target).softmax(1)
    loss = pt.cross_entropy(x, t, torch.rand(5))
    assert loss.dtype == (torch.float64 if logits == torch.float64 else torch.float32)
    assert torch.autograd.grad(loss, x)[0].dtype == logits
    loss = pt.binary_cross_entropy_with_logits(x, t)
    assert torch.autograd.grad(loss, x)[0].dtype == logits


def test_autocast():
    model, x, y = torch.nn.Linear(6, 5), torch.randn(4, 6), torch.tensor([0, 1, 2, 3])
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x)
        loss, expected = pt.cross_entropy(logits, y), F.cross_entropy(logits, y)
        binary = pt.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 0.25))
    assert logits.dtype == torch.bfloat16
    assert loss.dtype == expected.dtype == binary.dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)
    (loss + binary).backward()
    assert model.weight.grad.dtype == torch.float32


def test_tensor_subclasses_take_the_formula():
    class Named(torch.Tensor):
        pass

    x = torch.randn(4, 5).as_subclass(Named)
    y = torch.tensor([0, 1, 2, 3])
    found, expected = pt.cross_entropy(x, y), F.cross_entropy(x, y)
    assert type(found) is type(expected) is Named
    torch.testing.assert_close(found, expected)


def test_no_gradient_is_computed_where_none_is_due(monkeypatch):
    asked = []
    monkeypatch.setattr("plogq.torch.autograd.room_for", lambda *a, **k: asked.append(a))
    x, y = torch.randn(4, 5), torch.tensor([0, 1, 2, 3])
    pt.cross_entropy(x, y)
    with torch.no_grad():
        pt.cross_entropy(x.clone().requires_grad_(), y)
    with torch.inference_mode():
        pt.cross_entropy(x, y)
    assert asked == []


def test_nan_logits_give_nan_as_in_torch(route):
    """A GradScaler looks for them: they are no bad argument."""
    x = torch.randn(3, 5)
    x[1, 2] = torch.nan
    x.requires_grad_()
    y = torch.tensor([0, 1, 2])
    loss = pt.cross_entropy(x, y)
    assert loss.isnan()
    assert torch.autograd.grad(loss, x)[0][1].isnan().any()
    x = torch.tensor([[0.0, torch.inf]])
    assert pt.cross_entropy(x, torch.tensor([1])).isnan()


def test_threads_of_torch_do_not_change_the_number():
    x, y = torch.randn(3000, 40), torch.randint(40, (3000,))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(pt.cross_entropy(x, y))
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: pt.cross_entropy(x, torch.empty(4, dtype=torch.int64, device="meta")),
        lambda x: pt.binary_cross_entropy_with_logits(x, torch.empty(4, 5, device="meta")),
    ],
    ids=["rows", "elements"],
)
def test_the_fallback_is_said_once_on_request(loss, caplog):
    ENGINES.forget_what_was_said()
    with caplog.at_level(logging.INFO, logger="plogq.torch"):
        for _ in range(2):
            loss(torch.empty(4, 5, device="meta"))
    said = [r.message for r in caplog.records if "meta" in r.message]
    assert said == [
        "the engine formula answers (native: no native kernel for meta tensors of torch.float32)"
    ]


def test_autocast_rounds_no_divisor():
    x, t, w = torch.randn(100, 5), torch.rand(100, 5).softmax(1), torch.rand(5)
    expected = pt.soft_cross_entropy(x, t, w)
    with torch.autocast("cpu", torch.bfloat16):
        assert pt.soft_cross_entropy(x, t, w) == expected


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_default_device_is_not_asked(reduction):
    x, t = torch.randn(4, 5, requires_grad=True), torch.rand(4, 5).softmax(1)
    y, kind = torch.tensor([0, 1, 2, 3]), {"reduction": reduction}
    with torch.device("meta"):
        losses = [
            pt.cross_entropy(x, y, **kind),
            pt.cross_entropy(x, y, return_stats=True, **kind)[0],
            pt.brier_loss(x, y, **kind),
            pt.confidence_penalty(x, **kind),
            pt.distillation_loss(x, t, y, **kind),
            pt.binary_cross_entropy_with_logits(x, t, **kind),
            pt.binary_cross_entropy_with_logits(x, t, x.detach(), **kind),
            pt.gaussian_kl(x, x, **kind),
        ]
        for loss in losses:
            assert loss.device.type == "cpu"
            loss.sum().backward()


def test_negated_views_of_everything(route):
    x, y = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 1, 2, 3])
    negated = LAYOUTS["negated view"]
    w, v = torch.rand(5, dtype=torch.float64), torch.rand(4, dtype=torch.float64)
    assert negated(w).is_neg()
    expected = pt.cross_entropy(x, y, -w, row_weight=-v)
    found = pt.cross_entropy(x, y, negated(w), row_weight=negated(v))
    torch.testing.assert_close(found, pt.cross_entropy(x, y, w, row_weight=v))
    torch.testing.assert_close(found, expected)
    target = torch.rand(4, 5, dtype=torch.float64).softmax(1)
    torch.testing.assert_close(pt.cross_entropy(x, negated(target)), pt.cross_entropy(x, target))
    torch.testing.assert_close(
        pt.binary_cross_entropy_with_logits(x, negated(target), negated(w), pos_weight=negated(w)),
        pt.binary_cross_entropy_with_logits(x, target, w, pos_weight=w),
    )


@pytest.mark.parametrize("mode", ["real", "fake", "symbolic"])
@pytest.mark.parametrize("loss", [pt.cross_entropy, pt.brier_loss, pt.nll_loss])
def test_traced_by_make_fx(mode, loss):
    from torch.fx.experimental.proxy_tensor import make_fx

    def traced(x, y):
        return loss(x, y)

    x, y = torch.randn(4, 5).log_softmax(1), torch.tensor([0, 1, 2, 3])
    graph = make_fx(traced, tracing_mode=mode)(x, y)
    torch.testing.assert_close(graph(2 * x, y), loss(2 * x, y))


def test_under_a_mode_that_counts_operations():
    from torch.utils.flop_counter import FlopCounterMode

    x, y = torch.randn(4, 5), torch.tensor([0, 1, 2, 3])
    with FlopCounterMode(display=False):
        torch.testing.assert_close(pt.cross_entropy(x, y), F.cross_entropy(x, y))


MAPS = {
    "contiguous": lambda x: x,
    "channels last": lambda x: x.to(memory_format=torch.channels_last),
    "cut out": lambda x: F.pad(x, (1, 2, 3, 1))[:, :, 3:-1, 1:-2],
    "few places": lambda x: x[:, :, :2, :3],
}


@pytest.mark.parametrize("layout", MAPS)
@pytest.mark.parametrize("classes", [5, 70])
@pytest.mark.parametrize("soft", [False, True])
def test_maps(layout, classes, soft, route):
    torch.manual_seed(0)
    x = MAPS[layout](torch.randn(3, classes, 9, 7))
    target = torch.rand(x.shape).softmax(1)
    target = target if soft else target.argmax(1)
    if not soft:
        target[1, 0] = -100
    options = {"weight": torch.rand(classes), "label_smoothing": 0.1}
    for reduction in ("mean", "none"):
        a = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        b = x.detach().clone().requires_grad_()
        loss = pt.cross_entropy(a, target, reduction=reduction, **options)
        expected = F.cross_entropy(b, target, reduction=reduction, **options)
        torch.testing.assert_close(loss, expected)
        upstream = torch.rand_like(loss)
        gradient = torch.autograd.grad(loss, a, upstream)[0]
        torch.testing.assert_close(gradient, torch.autograd.grad(expected, b, upstream)[0])


def test_a_map_is_not_copied(monkeypatch):
    seen = []
    native = kernel.reduced_softmax_loss
    monkeypatch.setattr(
        "plogq.kernels.rows.reduced_softmax_loss",
        lambda x, *a, **k: seen.append((x, k["gradient"])) or native(x, *a, **k),
    )
    x = torch.randn(2, 5, 8, 8, requires_grad=True)
    z = x * 1
    pt.cross_entropy(z, torch.zeros(2, 8, 8, dtype=torch.int64), inplace=True).backward()
    ((logits, gradient),) = seen
    assert logits.ctypes.data == gradient.ctypes.data == z.data_ptr()
    y = x.detach().clone().requires_grad_()
    pt.cross_entropy(y, torch.zeros(2, 8, 8, dtype=torch.int64)).backward()
    torch.testing.assert_close(x.grad, y.grad)
    assert y.grad.is_contiguous()


def test_large_gradients_have_the_strides_of_the_logits():
    x = torch.randn(4, 21, 128, 128, requires_grad=True)
    y = torch.randint(21, (4, 128, 128))
    found = torch.autograd.grad(pt.cross_entropy(x, y), x)[0]
    assert found.stride() == x.stride()
    torch.testing.assert_close(found, torch.autograd.grad(F.cross_entropy(x, y), x)[0])


def test_learned_pos_weights_and_strided_layouts_take_the_formula():
    x, t = torch.randn(4, 5), torch.rand(4, 5)
    w = torch.tensor(2.0, requires_grad=True)
    pt.binary_cross_entropy_with_logits(x, t, pos_weight=w).backward()
    expected = (t * F.softplus(-x)).mean()
    torch.testing.assert_close(w.grad, expected)
