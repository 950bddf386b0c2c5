"""Divergences and distillation by the kernel of pairs, against the formulas in float64."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from tests.torch.triton.cases import DTYPES, assert_as_good, exact, logits, value_and_gradient

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")
LABELS = torch.tensor([3, 1, -100, 0, 8])
MASK = torch.tensor([True, True, True, False, True])
WEIGHT = torch.tensor([0.5, 2.0, 1.0, 1.0, 0.0])


def distilled(x, other, **options):
    return pt.distillation_loss(x, other, LABELS.to(x.device), **options)


def model_second(loss):
    return lambda x, other, **options: loss(other, x, **options)


LOSSES = {
    "distillation": (pt.distillation_loss, {}),
    "distillation with labels": (distilled, {"temperature": 3.0, "alpha": 0.25}),
    "distillation of labels alone": (distilled, {"alpha": 0.0}),
    "distillation, all": (distilled, {
        "mask": MASK, "row_weight": WEIGHT, "z_loss": 0.01, "denominator": 2.0}),
    "distillation by JS": (pt.distillation_loss, {"beta": 0.5}),
    "distillation by reverse KL": (pt.distillation_loss, {"beta": 1.0, "temperature": 3.0}),
    "distillation by JS with labels": (distilled, {
        "beta": 0.5, "temperature": 3.0, "alpha": 0.25, "z_loss": 0.01}),
    "distillation by reverse KL with labels": (distilled, {
        "beta": 1.0, "mask": MASK, "row_weight": WEIGHT, "reduction": "sum"}),
    "reverse KL": (model_second(pt.reverse_kl_loss), {"temperature": 2.0}),
    "reverse KL, by rows": (model_second(pt.reverse_kl_loss), {"reduction": "none", "mask": MASK}),
    "JS": (model_second(pt.js_divergence_loss), {}),
    "JS, the first learns": (pt.js_divergence_loss, {"beta": 0.3, "z_loss": 0.02}),
    "JS of small beta": (model_second(pt.js_divergence_loss), {"beta": 1e-3}),
    "JS of large beta": (model_second(pt.js_divergence_loss), {
        "beta": 0.999, "row_weight": WEIGHT}),
    "KL as JS": (model_second(pt.js_divergence_loss), {"beta": 0.0}),
    "reverse KL as JS": (model_second(pt.js_divergence_loss), {"beta": 1.0}),
}  # fmt: skip


def both(loss, x, y, device, options):
    truth = exact(loss, x, y, **options)
    with ENGINES.seen() as seen:
        found = value_and_gradient(loss, x, y, device=device, **options)
    assert seen == ["triton"]
    return found, truth


@pytest.mark.matrix
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [37, 8211])
@pytest.mark.parametrize("name", LOSSES)
def test_each_loss(triton_engine, name, classes, dtype):
    check(triton_engine, name, classes, dtype)


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_once(triton_engine, name):
    turn = list(LOSSES).index(name)
    check(triton_engine, name, 8211 if turn % 12 == 1 else 37, DTYPES[turn % 3])


def check(device, name, classes, dtype):
    loss, options = LOSSES[name]
    x, y = logits(5, classes, dtype), logits(5, classes, dtype, seed=5)
    found, truth = both(loss, x, y, device, options)
    with pt.engine("formula"):  # torch operations of the same formula in the same dtype
        theirs = value_and_gradient(loss, x, y, **options)
    assert_as_good(found[0], theirs[0], truth[0], torch.float32)
    assert_as_good(found[1], theirs[1], truth[1], dtype)


def textbook(x, y, **_):
    """Return torch's own KL of log-softmaxes, by rows."""
    log_q, log_p = x.log_softmax(1), y.log_softmax(1)
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(1)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("apart", [1.0, 1e-2, 1e-3])
def test_near_the_teacher_it_is_better_than_torch(triton_engine, apart, dtype):
    x = logits(4, 50, dtype)
    y = (x.float() + apart * logits(4, 50, seed=3)).to(dtype)
    for name in ("distillation", "reverse KL", "JS"):
        loss, _ = LOSSES[name]
        options = {"reduction": "none", "temperature": 1.0}
        found, truth = both(loss, x, y, triton_engine, options)
        assert ((found[0] - truth[0]).abs() <= 1e-5 * truth[0]).all()
        # The gradient's error is an ulp of the probabilities, whose differences it is.
        rounded = torch.finfo(dtype).eps * truth[1].abs().max()
        assert (found[1] - truth[1]).abs().max() <= 1e-7 + rounded
        if name == "distillation":
            theirs = value_and_gradient(textbook, x, y)
            error = (found[0] - truth[0]).abs().max()
            assert error <= (theirs[0] - truth[0]).abs().max() + 1e-7 * truth[0].max()


@pytest.mark.parametrize("name", ["distillation", "reverse KL", "JS", "JS of small beta"])
def test_masked_classes_and_huge_logits(triton_engine, name):
    """Masked in both, in one alone; certain and opposite rows; equal rows."""
    x = torch.tensor([[-torch.inf, 1, 2, -torch.inf, 3], [3e4, 0, -3e4, 1, 2], [0.0] * 5,
                      [80, 0, 0, -80, 1], [1, 2, 3, 4, 5]])  # fmt: skip
    y = torch.tensor([[-torch.inf, 2, 1, -torch.inf, 4], [0, 3e4, 1, -3e4, 2], [0.0] * 5,
                      [80, 1, 0, -80, 0], [5, 4, 3, 2, 1]])  # fmt: skip
    alone, nowhere = y.clone(), y.clone()
    alone[0, 3] = 1.0  # possible in the other alone
    nowhere[0, 1] = -torch.inf  # possible in the model alone
    loss, _ = LOSSES[name]
    options = {"reduction": "none", "temperature": 1.0}
    if name == "JS of small beta":
        options["beta"] = 1e-3
    for other in (y, alone, nowhere):
        found, truth = both(loss, x, other, triton_engine, options)
        if name == "reverse KL" and other is nowhere:
            # As `plogq.formulas` has it, where autograd of the formula has NaN.
            assert found[1][0].tolist() == [0.0, torch.inf, -torch.inf, 0.0, -torch.inf]
            truth[1][0] = found[1][0]
        for row in range(len(x)):
            assert_as_good(found[0][row], None, truth[0][row], torch.float32)
            assert_as_good(found[1][row], None, truth[1][row], torch.float32)


def test_what_the_kernel_has_not(triton_engine):
    x, y = logits(5, 9), logits(5, 9, seed=2)
    learned = [t.clone().requires_grad_() for t in (x, y)]
    refused = {
        "the other logits want a gradient, too": lambda: pt.js_divergence_loss(*learned),
        "no distributions beside a teacher": lambda: pt.distillation_loss(x, y, y.softmax(1)),
        "the statistics of the rows": lambda: pt.reverse_kl_loss(x, y, return_stats=True),
        "other logits of torch.float64": lambda: pt.reverse_kl_loss(x.double(), y),
        "no Brier loss": lambda: pt.brier_loss(x, LABELS),
        "no focal loss of": lambda: pt.focal_loss(x, LABELS, label_smoothing=0.1),
        "no generalised": lambda: pt.generalised_cross_entropy(x, LABELS),
        "the kernel has no binary focal": lambda: pt.binary_focal_loss(x, y.sigmoid()),
        "tensors of torch.float64": lambda: pt.cross_entropy(x.double(), LABELS),
        "class weights want": lambda: pt.cross_entropy(
            x, LABELS, torch.ones(9, requires_grad=True)),
        "transform": lambda: torch.func.grad(lambda z: pt.cross_entropy(z, LABELS))(x),
    }  # fmt: skip
    for reason, call in refused.items():
        with pytest.raises(NotImplementedError, match=f"triton: .*{reason}"):
            call()


def test_layouts(triton_engine):
    """Maps, transposed logits, and a teacher of another dtype and layout."""
    x, y = torch.randn(2, 2, 3, 9, 5, generator=torch.Generator().manual_seed(4))
    y = y.bfloat16().transpose(2, 3).contiguous().transpose(2, 3)
    truth = exact(pt.distillation_loss, x, y)
    found = value_and_gradient(pt.distillation_loss, x, y, device=triton_engine)
    assert_as_good(found[0], None, truth[0], torch.float32)
    assert_as_good(found[1], None, truth[1], torch.float32)
