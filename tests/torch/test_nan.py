"""NaN, and what is infinite, is seen in the loss as it is in the gradient."""

import math

import numpy as np
import pytest
import torch

import plogq.numpy as pn
import plogq.torch as pt

X = torch.tensor([[4.0, 0.0, 1.0], [1.0, 2.0, 3.0]])
OTHER = torch.tensor([[0.5, 1.0, 2.0], [1.5, 0.0, -1.0]])
Y = torch.tensor([0, 2])
SOFT = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
NO_WEIGHT = torch.tensor([1.0, 1.0, 0.0])
OFF = torch.tensor([1.0, 0.0])
ROWS = {"reduction": "none"}

# Losses of rows: of logits, and of a second tensor of logits where there is one.
OF_LOGITS = {
    "cross_entropy": lambda x, _, **o: pt.cross_entropy(x, Y, **o),
    "of no class weight": lambda x, _, **o: pt.cross_entropy(x, Y, NO_WEIGHT, **o),
    "of no row weight": lambda x, _, **o: pt.cross_entropy(x, Y, row_weight=OFF, **o),
    "of neither": lambda x, _, **o: pt.cross_entropy(x, Y, NO_WEIGHT, row_weight=OFF, **o),
    "smoothed": lambda x, _, **o: pt.cross_entropy(x, Y, label_smoothing=0.1, **o),
    "all smooth": lambda x, _, **o: pt.cross_entropy(x, Y, label_smoothing=1.0, **o),
    "soft": lambda x, _, **o: pt.cross_entropy(x, SOFT, **o),
    "soft, of no class weight": lambda x, _, **o: pt.cross_entropy(x, SOFT, 0 * NO_WEIGHT, **o),
    "capped": lambda x, _, **o: pt.cross_entropy(x, Y, softcap=3.0, **o),
    "focal": lambda x, _, **o: pt.focal_loss(x, Y, NO_WEIGHT.sum().item(), NO_WEIGHT, **o),
    "soft focal": lambda x, _, **o: pt.focal_loss(x, SOFT, row_weight=OFF, **o),
    "generalised": lambda x, _, **o: pt.generalised_cross_entropy(x, Y, 0.7, NO_WEIGHT, **o),
    "soft generalised": lambda x, _, **o: pt.generalised_cross_entropy(x, SOFT, **o),
    "poly": lambda x, _, **o: pt.poly_loss(x, Y, -1.0, row_weight=OFF, **o),
    "smooth poly": lambda x, _, **o: pt.poly_loss(x, Y, label_smoothing=0.1, **o),
    "brier": lambda x, _, **o: pt.brier_loss(x, Y, **o),
    "soft brier": lambda x, _, **o: pt.brier_loss(x, SOFT, row_weight=OFF, **o),
    "confidence": lambda x, _, **o: pt.confidence_penalty(x, **o),
    "distillation": lambda x, t, **o: pt.distillation_loss(x, t, **o),
    "distillation of labels": lambda x, t, **o: pt.distillation_loss(x, t, Y, alpha=0.0, **o),
    "distillation without": lambda x, t, **o: pt.distillation_loss(x, t, Y, alpha=1.0, **o),
    "js": lambda x, t, **o: pt.js_divergence_loss(x, t, **o),
    "js of beta": lambda x, t, **o: pt.js_divergence_loss(x, t, beta=0.1, **o),
    "reverse KL": lambda x, t, **o: pt.reverse_kl_loss(t, x, **o),
}
OF_TWO = (
    "distillation",
    "distillation of labels",
    "distillation without",
    "js",
    "js of beta",
    "reverse KL",
)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", OF_LOGITS)
def test_logits(name, place, bad, route):
    for second in (False, True) if name in OF_TWO else (False,):
        x, other = X.clone(), OTHER.clone()
        (other if second else x)[1, place] = bad
        x.requires_grad_()
        rows = OF_LOGITS[name](x, other, **ROWS)
        assert rows.isnan().tolist() == [False, True]
        gradient = torch.autograd.grad(rows.sum(), x)[0]
        assert gradient.isnan().any(1).tolist() == [False, True]
        for reduction in ("sum", "mean"):
            loss = OF_LOGITS[name](x, other, reduction=reduction)
            assert loss.isnan()
            assert torch.autograd.grad(loss, x)[0][1].isnan().any()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_teacher_that_overflowed_is_no_ordinary_loss(bad, temperature, route):
    student = torch.tensor([[4.0, 0.0, 1.0]], requires_grad=True)
    teacher = torch.tensor([[bad, 2.0, 0.0]])
    loss = pt.distillation_loss(student, teacher, temperature=temperature)
    assert loss.isnan()
    assert torch.autograd.grad(loss, student)[0].isnan().all()
    hidden = torch.full((1, 3), -math.inf)
    assert pt.distillation_loss(student, hidden, temperature=temperature).isnan()


ELEMENTS = {
    "logits": lambda z, t, **o: pt.binary_cross_entropy_with_logits(z, t, **o),
    "no weight": lambda z, t, **o: pt.binary_cross_entropy_with_logits(z, t, 0 * SOFT, **o),
    "no positive": lambda z, t, **o: pt.binary_cross_entropy_with_logits(
        z, t, pos_weight=torch.tensor(0.0), **o
    ),
    "focal": lambda z, t, **o: pt.binary_focal_loss(z, t, **o),
    "asymmetric": lambda z, t, **o: pt.asymmetric_loss(z, t, **o),
    "asymmetric, no focus": lambda z, t, **o: pt.asymmetric_loss(z, t, 0.0, 0.0, 0.5, **o),
    "focal of alpha 0": lambda z, t, **o: pt.binary_focal_loss(z, t, alpha=0.0, **o),
}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", ELEMENTS)
def test_logits_of_elements(name, share, route):
    z = X.clone()
    z[1, 1] = math.nan
    z.requires_grad_()
    for options in (ROWS, {"reduction": "mean"}):
        loss = ELEMENTS[name](z, torch.full_like(X, share), **options)
        assert loss.isnan().sum() == 1
        gradient = torch.autograd.grad(loss.sum(), z)[0]
        assert gradient.isnan().tolist() == z.isnan().tolist()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights(bad, route):
    """As in torch: where they count, the loss is not finite."""
    by_class, by_row = torch.tensor([1.0, 1.0, bad]), torch.tensor([1.0, bad])
    each = torch.tensor([[1.0, 1.0, 1.0], [1.0, bad, 1.0]])
    for loss in (
        lambda x: pt.cross_entropy(x, Y, by_class, reduction="sum"),
        lambda x: pt.cross_entropy(x, SOFT, by_class, reduction="sum"),
        lambda x: pt.cross_entropy(x, Y, row_weight=by_row, reduction="sum"),
        lambda x: pt.focal_loss(x, SOFT, weight=by_class, reduction="sum"),
        lambda x: pt.brier_loss(x, Y, row_weight=by_row, reduction="sum"),
        lambda x: pt.nll_loss(x.log_softmax(1), Y, by_class, reduction="sum"),
        lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, each, reduction="sum"),
        lambda x: pt.binary_cross_entropy_with_logits(x, SOFT, None, pos_weight=each),
        lambda x: pt.binary_cross_entropy(x.sigmoid(), SOFT, each, reduction="sum"),
    ):
        x = X.clone().requires_grad_()
        value = loss(x)
        assert not value.isfinite()
        assert not torch.autograd.grad(value, x)[0][1].isfinite().all()


def test_log_probabilities():
    x = X.log_softmax(1)
    x[1, 1] = math.nan
    x.requires_grad_()
    for target, log_target in ((SOFT, False), (SOFT.log(), True), (0 * SOFT, False)):
        for options in (ROWS, {"reduction": "batchmean"}):
            loss = pt.kl_div(x, target, log_target=log_target, **options)
            assert loss.isnan().sum() == 1
    # Beside it what is no log-probability is found, and −inf under a target of 0 still costs 0.
    with torch.no_grad():
        x[0, 2] = 0.5
    with pytest.raises(
        ValueError, match=r"input must be log-prob.* got 0\.5 \(first at row \(0, 2"
    ):
        pt.kl_div(x, SOFT, reduction="sum")
    hidden = torch.tensor([[math.nan, -math.inf, -1.0]])
    rows = pt.kl_div(hidden, torch.tensor([[0.5, 0.0, 0.5]]), reduction="none")
    assert rows.isnan().tolist() == [[True, False, False]]
    with pytest.raises(ValueError, match="target must be probabilities, none negative or NaN"):
        pt.kl_div(X.log_softmax(1), x.detach().exp(), reduction="sum")
    assert pt.nll_loss(x, torch.tensor([1, 1])).isnan()


def test_a_scaler_skips_the_step():
    """torch's GradScaler halves its scale where a gradient is not finite."""
    for loss in (
        lambda x: pt.kl_div(x.log_softmax(1), SOFT, reduction="batchmean"),
        lambda x: pt.distillation_loss(OTHER * x.sum(), x),
        lambda x: pt.cross_entropy(x, Y, NO_WEIGHT),
    ):
        x = torch.nn.Parameter(X.clone())
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        optimizer = torch.optim.SGD([x], lr=1.0)
        spoiled = torch.tensor([[1.0, 1.0, 1.0], [1.0, math.inf, 1.0]])
        scaler.scale(loss(x * spoiled)).backward()
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == 2.0
        assert torch.equal(x, X)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_left_out_has_no_gradient_under_a_cap(bad, route):
    x = X.clone()
    x[1] = bad
    x.requires_grad_()
    keep = torch.tensor([True, False])
    loss = pt.cross_entropy(x, Y, softcap=3.0, mask=keep)
    torch.testing.assert_close(loss, pt.cross_entropy(X[:1], Y[:1], softcap=3.0))
    gradient = torch.autograd.grad(loss, x)[0]
    assert gradient[0].all()
    assert not gradient[1].any()


@pytest.mark.parametrize("loss", [pn.cross_entropy, pn.squared_error])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numpy_under_a_cap(loss, bad):
    x, y = X.numpy().copy(), Y.numpy()
    x[1, 0] = bad
    with pytest.raises(ValueError, match=r"logits must be finite.*row 1"):
        loss(x, y, softcap=3.0)
    value, gradient = loss(x, y, softcap=3.0, mask=[True, False], return_grad=True)
    assert value == loss(X.numpy()[:1], y[:1], softcap=3.0)
    assert gradient[0].all()
    assert np.array_equal(gradient[1], [0, 0, 0])


def test_a_row_of_nan_predicts_no_class(route):
    x = torch.tensor([[math.nan, 0.0, 0.0], [0.0, 0.0, math.nan], [0.0, 1.0, 0.0]])
    y = torch.tensor([0, 2, 1])
    _, found = pt.cross_entropy(x, y, return_stats=True)
    assert found.argmax.tolist() == [-1, -1, 1]
    assert found.accuracy.item() == pytest.approx(1 / 3)
