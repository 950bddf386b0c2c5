"""torch.compile keeps every loss whole in one graph, with the same numbers."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

import plogq.torch as pt
from plogq.kernels import rows as kernel
from plogq.torch.engines import ENGINES, compiled_loss, compiled_waiting
from plogq.torch.questions import arithmetic

# What torch.compile has to say of torch's own insides; it makes an instance of `autograd.Function`
# wherever it follows one.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

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
    "generalised": lambda x: pt.generalised_cross_entropy(x, Y),
    "poly": lambda x: pt.poly_loss(x, SOFT, -0.5),
    "brier": lambda x: pt.brier_loss(x, Y),
    "distillation": lambda x: pt.distillation_loss(x, x.flip(0), Y),
    "confidence": pt.confidence_penalty,
    "js": lambda x: pt.js_divergence_loss(x, SOFT),
    "js of beta": lambda x: pt.js_divergence_loss(x, SOFT, beta=0.1),
    "reverse KL": lambda x: pt.reverse_kl_loss(SOFT, x),
    "gaussian": lambda x: pt.gaussian_kl(x, SOFT),
    "bce": lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, pos_weight=W),
    "bce of probabilities": lambda x: pt.binary_cross_entropy(x.sigmoid(), SOFT),
    "binary focal": lambda x: pt.binary_focal_loss(x, SOFT, alpha=0.25),
    "masked bce": lambda x: pt.binary_cross_entropy_with_logits(
        x, SOFT, mask=x[0] > 0, ignore_index=1, label_smoothing=0.1
    ),
    "asymmetric": lambda x: pt.asymmetric_loss(x, SOFT),
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


ROWS, CLASSES = 70, 1000  # so large that the gradient waits for its backward
LARGE = torch.arange(ROWS) * 13 % CLASSES
LARGE[5] = -100
PLACES = torch.linspace(0, 2, ROWS)
SHARES = torch.softmax(torch.linspace(-1, 1, ROWS * CLASSES).reshape(ROWS, CLASSES), 1)
BY_CLASS = torch.linspace(0.5, 2, CLASSES)

OPTIONS = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "gamma": {"gamma": 2.0},
    "temperature": {"temperature": 0.5},
    "z-loss": {"z_loss": 1e-3},
    "softcap": {"softcap": 5.0},
    "class weights": {"weight": BY_CLASS},
    "mask": {"mask": PLACES > 0.3},
    "ignored class": {"ignore_index": 13},
    "row weights": {"row_weight": PLACES},
    "learned row weights": {"row_weight": PLACES},
    "statistics": {"return_stats": True},
    "unchecked": {"validate": False},
    "all": {
        "label_smoothing": 0.1,
        "temperature": 2.0,
        "z_loss": 1e-3,
        "weight": BY_CLASS,
        "mask": PLACES > 0.3,
        "row_weight": PLACES,
    },
    "denominator": {"denominator": 7.5},
    "whole denominator": {"denominator": 7},
    "denominator in a tensor": {"denominator": torch.tensor(7)},
}


def large_logits(dtype=torch.float32):
    return logits(ROWS, CLASSES).to(dtype)


def compiled_and_not(loss, x, **how):
    """Hold a compiled loss and its gradient to those of the loss itself."""
    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, **({"backend": "aot_eager"} | how))
    found, expected = value_and_gradient(compiled, x), value_and_gradient(loss, x)
    torch.testing.assert_close(found, expected)
    assert not compiled_waiting.how_many()


@pytest.mark.parametrize("rows", [8, ROWS])
@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_of_small_and_large_batches(name, rows):
    # A row for each, of what is one by row.
    options = {
        key: value[:rows] if torch.is_tensor(value) and value.shape == (ROWS,) else value
        for key, value in OPTIONS[name].items()
    }
    if name.startswith("learned"):
        options["row_weight"] = options["row_weight"].clone().requires_grad_()
    options.setdefault("ignore_index", -100)
    y = torch.where(LARGE == -100, options["ignore_index"], LARGE)[:rows]

    def loss(x):
        found = pt.cross_entropy(x, y, **options)
        return found[0] * 3 + found[1].lse.sum() if "return_stats" in options else found * 3

    compiled_and_not(loss, large_logits()[:rows])


@pytest.mark.parametrize("rows", [8, ROWS])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("soft", [False, True])
def test_every_reduction_of_labels_and_distributions(reduction, soft, rows):
    target = (SHARES if soft else LARGE)[:rows]
    for loss in (pt.cross_entropy, pt.soft_cross_entropy) if soft else (pt.cross_entropy,):
        for weight in (None, BY_CLASS):

            def call(x, loss=loss, weight=weight):
                return loss(x, target, weight=weight, reduction=reduction)

            compiled_and_not(call, large_logits()[:rows])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rows", [8, ROWS])
def test_every_dtype(dtype, rows):
    y = LARGE[:rows]
    for reduction in ("none", "mean", "sum"):
        compiled_and_not(
            lambda x, r=reduction: pt.cross_entropy(x, y, reduction=r), large_logits(dtype)[:rows]
        )


def test_maps_and_their_rows():
    x, y = logits(3, 7, 5, 700), torch.arange(3 * 5 * 700).reshape(3, 5, 700) % 7
    compiled_and_not(lambda x: pt.cross_entropy(x, y), x)
    compiled_and_not(lambda x: pt.cross_entropy(x, y), x, backend="inductor")
    bad = y.clone()
    bad[1, 2, 3] = 7
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend="aot_eager")
    with pytest.raises(ValueError, match=r"target must be a class index .* got 7 \(first at row"):
        compiled(x, bad)


@pytest.mark.parametrize("rows", [8, ROWS])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_a_loss_and_its_gradient_are_one_pass(monkeypatch, rows, backend):
    calls, native = [], kernel._native.rows
    monkeypatch.setattr(kernel._native, "rows", lambda *a: calls.append(a) or native(*a))
    short = compiled_loss.reduced_loss

    def counted(*arguments):
        found = short(*arguments)
        calls.extend([arguments] if found is not None else [])
        return found

    monkeypatch.setattr(compiled_loss, "reduced_loss", counted)
    torch.compiler.reset()
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend=backend)
    x, y = large_logits()[:rows].requires_grad_(), LARGE[:rows]
    for upstream in (1.0, 3.0):
        (compiled(x, y) * upstream).backward()
    assert len(calls) == 2
    with torch.no_grad():
        compiled(x, y)
    assert len(calls) == 3
    assert not compiled_waiting.how_many()


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_no_gradient_waits_for_a_backward_that_does_not_come(backend):
    torch.compiler.reset()
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend=backend)
    x = large_logits().requires_grad_()
    loss = compiled(x, LARGE)
    assert compiled_waiting.how_many() == 1
    del loss
    assert not compiled_waiting.how_many()
    with pytest.raises(ValueError, match=r"target must be .* row 0"):
        compiled(x, torch.full_like(LARGE, CLASSES))
    assert not compiled_waiting.how_many()
    loss = compiled(x, LARGE)
    x.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    del loss
    assert not compiled_waiting.how_many()


def test_a_gradient_waits_as_long_as_its_token():
    gradient = torch.ones(3)
    token = compiled_waiting.leave(gradient)
    other = compiled_waiting.leave(torch.zeros(3))
    copy, view = token.clone(), token.view(1)
    assert compiled_waiting.take(copy) is gradient
    assert compiled_waiting.take(token) is None  # given away
    assert compiled_waiting.take(compiled_waiting.nothing()) is None
    token = compiled_waiting.leave(gradient)
    copy, view = token.clone(), token.view(1)
    del token
    assert compiled_waiting.how_many() == 2  # the view has the token's memory
    del view
    assert compiled_waiting.how_many() == 1
    assert compiled_waiting.take(copy) is None  # to be computed again
    del other
    assert not compiled_waiting.how_many()


@pytest.mark.parametrize("rows", [8, ROWS])
def test_several_losses_of_one_batch(rows):
    y = LARGE[:rows]

    def losses(x):
        return pt.cross_entropy(x, y) * 2 + pt.cross_entropy(x, y) + pt.cross_entropy(2 * x, y)

    for backend in ("aot_eager", "inductor"):
        compiled_and_not(losses, large_logits()[:rows], backend=backend)


@pytest.mark.parametrize("rows", [8, ROWS])
def test_a_second_backward_is_torchs_to_allow(rows):
    """torch compiles a backward for one use, unless its first use asks for more."""
    x, y = large_logits()[:rows].requires_grad_(), LARGE[:rows]
    for loss in (pt.cross_entropy, torch.nn.functional.cross_entropy):
        torch.compiler.reset()
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        expected = torch.autograd.grad(3 * loss(x, y), x)
        found = 3 * compiled(x, y)
        for again in (True, False):
            torch.testing.assert_close(torch.autograd.grad(found, x, retain_graph=again), expected)
        torch.compiler.reset()
        compiled(x, y).backward()
        with pytest.raises(RuntimeError, match=r"set torch\._functorch\.config\.donated_buffer"):
            compiled(x, y).backward(retain_graph=True)
    assert not compiled_waiting.how_many()


@pytest.mark.parametrize("rows", [8, ROWS])
def test_a_second_derivative_is_refused_by_torch(rows):
    torch.compiler.reset()
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend="aot_eager")
    x = large_logits()[:rows].requires_grad_()
    loss = compiled(x, LARGE[:rows])
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="does not currently support double backward"):
        (loss + gradient.square().sum()).backward()


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_transforms_inside_a_graph_get_their_derivatives(reduction):
    def loss(x):
        return pt.cross_entropy(x, Y, reduction=reduction).sum()

    def tangent(x):
        with forward_ad.dual_level():
            return forward_ad.unpack_dual(loss(forward_ad.make_dual(x, x))).tangent

    for transformed in (torch.func.grad(loss), tangent):
        torch.compiler.reset()
        compiled = torch.compile(transformed, fullgraph=True, backend="aot_eager")
        found = compiled(logits())
        torch.testing.assert_close(found, transformed(logits()))
        assert found.abs().sum() > 0


@pytest.mark.parametrize("rows", [8, ROWS])
def test_checkpoints(rows):
    w, y = logits(6, CLASSES).requires_grad_(), LARGE[:rows]

    def step(w, x):
        return pt.cross_entropy(x @ w, y)

    x = logits(rows, 6)
    expected = torch.autograd.grad(step(w, x), w)
    torch.compiler.reset()
    inside = torch.compile(
        lambda w, x: checkpoint(step, w, x, use_reentrant=False),
        fullgraph=True, backend="aot_eager",
    )  # fmt: skip
    torch.testing.assert_close(torch.autograd.grad(inside(w, x), w), expected)
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    outside = checkpoint(compiled, w, x, use_reentrant=False)
    torch.testing.assert_close(torch.autograd.grad(outside, w), expected)
    assert not compiled_waiting.how_many()


def test_a_float16_gradient_waits_for_its_scale():
    x, y = logits(20_000, 4).half().requires_grad_(), torch.zeros(20_000, dtype=torch.int64)
    torch.compiler.reset()
    compiled = torch.compile(pt.cross_entropy, fullgraph=True, backend="aot_eager")
    (gradient,) = torch.autograd.grad(compiled(x, y) * 2.0**16, x)
    (expected,) = torch.autograd.grad(pt.cross_entropy(x.double(), y) * 2.0**16, x)
    torch.testing.assert_close(gradient, expected)
    assert (gradient != 0).all()


def test_batches_whose_size_is_not_known():
    x, y = large_logits(), LARGE

    def some(x, keep):
        return pt.cross_entropy(x[keep], y[keep])

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled_and_not(lambda x: some(x, PLACES > 0.1), x)


def test_the_operators_answer_unless_a_transform_is_under_way():
    torch.compiler.reset()
    with ENGINES.seen() as seen:
        torch.compile(pt.cross_entropy, fullgraph=True, backend="eager")(logits(), Y)
        torch.compile(torch.func.grad(pt.cross_entropy), fullgraph=True, backend="eager")(
            logits(), Y
        )
    assert seen == ["compiled", "formula"]


def test_inductor_and_dynamic_shapes():
    torch.compiler.reset()

    def step(w, x, y):
        return pt.cross_entropy(x @ w, y, label_smoothing=0.1)

    compiled = torch.compile(step, fullgraph=True, dynamic=True)
    w = logits(6, 5).requires_grad_()
    for rows in (4, 9, 20_000):
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("whole", [False, True])
def test_the_operators_of_a_reduced_loss_keep_their_promises(dtype, whole):
    x = logits(3, 4).to(dtype).t()
    weights = W.to(arithmetic(x)), KEEP, RW.to(arithmetic(x))
    others = [torch.tensor(7.0), *weights] if whole else []
    numbers = [7.0, 1.0, 0.1, 0.0, 2.0, 0.01] if whole else []
    question = (x, Y, others, -100, numbers)
    operators = torch.ops.plogq
    for operator in (operators.loss, operators.loss_and_gradient):
        torch.library.opcheck(operator.default, question)
    # Its token is another each time.
    tests = "test_schema", "test_autograd_registration", "test_faketensor"
    torch.library.opcheck(operators.loss_ahead.default, question, test_utils=tests)
    token, upstream = compiled_waiting.nothing(), torch.tensor(2.0)
    torch.library.opcheck(operators.loss_gradient.default, (token, upstream, *question))
    assert not compiled_waiting.how_many()


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


@pytest.mark.matrix
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
