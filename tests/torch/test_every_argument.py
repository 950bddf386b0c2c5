"""What the losses of `plogq.torch` have beside those of other doors, and its reductions."""

import functools

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt

N, C = 6, 5
torch.manual_seed(0)
X = torch.randn(N, C, dtype=torch.float64)
OTHER = torch.randn(N, C, dtype=torch.float64)
Y = torch.tensor([0, 1, 4, 2, 2, 3])
SOFT = torch.rand(N, C, dtype=torch.float64).softmax(1)
W = torch.tensor([0.5, 2.0, 1.0, 0.25, 3.0], dtype=torch.float64)
ROW_WEIGHT = torch.tensor([1.0, 0.5, 0.0, 2.0, -0.25, 1.5], dtype=torch.float64)
MASK = torch.tensor([True, False, True, True, True, True])


@pytest.mark.parametrize("loss", [pt.js_divergence_loss, pt.reverse_kl_loss])
def test_rows_that_are_left_out_of_either_model_may_hold_anything(loss):
    expected = loss(X[MASK], OTHER[MASK])
    for place in (0, 1):
        given = [X.clone(), OTHER.clone()]
        given[place][1] = torch.nan
        broken = given[place].requires_grad_()
        value = loss(*given, mask=MASK)
        torch.testing.assert_close(value, expected)
        assert not torch.autograd.grad(value, broken)[0][1].any()


@pytest.mark.parametrize(
    "loss",
    [
        pt.cross_entropy,
        pt.focal_loss,
        pt.generalised_cross_entropy,
        pt.poly_loss,
        pt.brier_loss,
        pt.nll_loss,
        pt.distillation_loss,
    ],
)
def test_ignore_index(loss, route):
    batch = (OTHER, Y) if loss is pt.distillation_loss else (Y,)
    kept = Y != 2
    of_the_rest = [b[kept] for b in batch]
    expected = loss(X[kept].log_softmax(1), *of_the_rest)
    torch.testing.assert_close(loss(X.log_softmax(1), *batch, ignore_index=2), expected)


def test_a_teacher_is_no_target_to_ignore():
    expected = pt.distillation_loss(X, OTHER)
    for index in range(C):
        torch.testing.assert_close(pt.distillation_loss(X, OTHER, ignore_index=index), expected)


ELEMENTS = {
    "bce": (
        pt.binary_cross_entropy_with_logits,
        (X, SOFT),
        {"weight": W, "pos_weight": W + 1, "label_smoothing": 0.2},
    ),
    "bce of probabilities": (
        pt.binary_cross_entropy,
        (X.sigmoid(), SOFT),
        {"weight": W, "label_smoothing": 0.2},
    ),
    "binary focal": (
        pt.binary_focal_loss,
        (X, SOFT),
        {"gamma": 1.5, "alpha": 0.3, "weight": W, "pos_weight": W + 1, "label_smoothing": 0.2},
    ),
    "asymmetric": (
        pt.asymmetric_loss,
        (X, SOFT),
        {"gamma_neg": 1.5, "gamma_pos": 0.5, "margin": 0.2, "weight": W, "pos_weight": W + 1},
    ),
    "kl": (pt.kl_div, (X.log_softmax(1), SOFT), {}),
    "nll": (pt.nll_loss, (X.log_softmax(1), Y), {}),
    "gaussian": (pt.gaussian_kl, (X, OTHER), {"q_mean": 0.5, "q_log_variance": OTHER / 2}),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_reductions_of_the_others(name, route):
    loss, batch, own = ELEMENTS[name]
    for options in ({}, own):
        each = loss(*batch, reduction="none", **options)
        total = loss(*batch, reduction="sum", **options)
        torch.testing.assert_close(total, each.sum())
        torch.testing.assert_close(loss(*batch, denominator=7, **options), each.sum() / 7)
        torch.testing.assert_close(loss(*batch, denominator=0, **options), each.sum())
    if name == "kl":
        torch.testing.assert_close(loss(*batch, reduction="batchmean"), total / N)
        torch.testing.assert_close(loss(*batch, reduction="batchmean", denominator=3), total / 3)
        return
    torch.testing.assert_close(loss(*batch), loss(*batch, reduction="none").mean())


def bce(p, t, yes=1.0, gamma=0.0):
    return -(yes * t * (1 - p) ** gamma * p.log() + (1 - t) * p**gamma * (1 - p).log())


BINARY = {
    "bce": (pt.binary_cross_entropy_with_logits, lambda p, t, w: bce(p, t, w), X),
    "bce of probabilities": (pt.binary_cross_entropy, lambda p, t, w: bce(p, t), X.sigmoid()),
    "focal": (pt.binary_focal_loss, lambda p, t, w: bce(p, t, w, 2.0), X),
    "asymmetric": (
        functools.partial(pt.asymmetric_loss, gamma_neg=2.5, margin=0.001),
        lambda p, t, w: (
            -w * t * (1 - p) * p.log() - (1 - t) * (p - 0.001) ** 2.5 * (1.001 - p).log()
        ),
        X,
    ),
}


@pytest.mark.parametrize("name", BINARY)
def test_options_of_binary_losses(name, route):
    loss, equation, x = BINARY[name]
    by_class = torch.tensor([True, True, False, True, True])
    target = SOFT.clone()
    target[1, 1], target[4] = 255, 255
    counted = (target != 255) & by_class
    weights = {"weight": ROW_WEIGHT[:, None].abs()}
    if loss is not pt.binary_cross_entropy:
        weights["pos_weight"] = W
    broken = x.clone()
    broken[~counted] = torch.nan
    for smoothing in (0.0, 0.2):
        t = (1 - smoothing) * target + smoothing / 2
        expected = equation(X.sigmoid(), t, W) * ROW_WEIGHT[:, None].abs()
        expected = torch.where(counted, expected, 0.0)
        options = {"ignore_index": 255, "mask": by_class, "label_smoothing": smoothing, **weights}
        for reduction, divisor in (("sum", 1), ("mean", counted.sum()), ("none", None)):
            z = broken.clone().requires_grad_()
            found = loss(z, target, reduction=reduction, **options)
            right = expected if divisor is None else expected.sum() / divisor
            torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-14)
            gradient = torch.autograd.grad(found.sum(), z)[0]
            assert not gradient[~counted].any()
            assert gradient[counted & (ROW_WEIGHT != 0)[:, None]].all()
        found = loss(broken, target, denominator=3.0, **options)
        torch.testing.assert_close(found, expected.sum() / 3, rtol=1e-12, atol=1e-14)
    nothing = loss(x, SOFT, mask=torch.zeros((), dtype=torch.bool))
    assert nothing == 0
    torch.testing.assert_close(
        loss(x.bfloat16(), SOFT.bfloat16(), label_smoothing=0.1),
        loss(x.bfloat16().double(), SOFT.bfloat16().double(), label_smoothing=0.1).float(),
        rtol=1e-2 if loss is pt.binary_cross_entropy else 1e-6,
        atol=0,
    )


def test_element_weights(route):
    weights = [W, torch.tensor(2.0), W[None], torch.rand(N, 1), torch.rand(N, C).double()]
    for weight in weights:
        for mine, theirs, x in (
            (pt.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, X),
            (pt.binary_cross_entropy, F.binary_cross_entropy, X.sigmoid()),
        ):
            a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
            for reduction in ("mean", "sum", "none"):
                found = mine(a, SOFT, weight, reduction=reduction)
                expected = theirs(b, SOFT, weight.double(), reduction=reduction)
                torch.testing.assert_close(found, expected)
                upstream = torch.rand_like(found)
                torch.testing.assert_close(
                    torch.autograd.grad(found, a, upstream),
                    torch.autograd.grad(expected, b, upstream),
                )


def test_an_element_without_weight_has_no_say(route):
    z = torch.tensor([torch.inf, 1.0], requires_grad=True)
    t, weight = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])
    loss = pt.binary_cross_entropy_with_logits(z, t, weight, reduction="sum")
    torch.testing.assert_close(loss, F.softplus(torch.tensor(-1.0)))


def test_kl_div_broadcasts_as_torch_does():
    x = X.log_softmax(1)
    for target in (SOFT[0], SOFT[:, :1], SOFT[0].log()):
        given = {"log_target": bool(target[0].max() < 0), "reduction": "sum"}
        torch.testing.assert_close(pt.kl_div(x, target, **given), F.kl_div(x, target, **given))
    with pytest.warns(UserWarning, match="batchmean"):
        expected = F.kl_div(x[:1], SOFT)
    found = pt.kl_div(x[:1], SOFT, denominator=N * C)  # which says what the mean is: no warning
    torch.testing.assert_close(found, expected)
    with pytest.warns(UserWarning, match="deprecated"):
        legacy = pt.kl_div(x, SOFT, reduce=True, size_average=True, reduction="batchmean")
    torch.testing.assert_close(legacy, pt.kl_div(x, SOFT, reduction="sum") / (N * C))
