"""What we add to torch's arguments, against the reference formulas in float64 and by its laws."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import plogq
import plogq.torch as pt

C = 6
W = torch.linspace(0.5, 2, C, dtype=torch.float64)
ROW_WEIGHT = torch.tensor([1.0, 0.0, 2.5, 0.5], dtype=torch.float64)
MASK = torch.tensor([True, True, False, True])


def batch(soft=False):
    torch.manual_seed(5)
    x = 3 * torch.randn(4, C, dtype=torch.float64)
    x[0, 3] = -torch.inf
    target = torch.rand(4, C, dtype=torch.float64).softmax(1)
    target[0, 3] = 0
    target /= target.sum(1, keepdim=True)
    return x.requires_grad_(), target if soft else torch.tensor([1, 0, 3, 5])


def reference(x, target, smoothing, weight, temperature, z_loss, gamma):
    """Give rows of loss and their gradient in x, from plogq.formulas on NumPy arrays."""
    z = x.detach().numpy() / temperature
    weight = None if weight is None else weight.numpy()
    value, grad = plogq.focal_from_logits(
        z, target.numpy(), gamma=gamma, weight=weight, label_smoothing=smoothing
    )
    extra, slope = plogq.z_loss_from_logits(z)
    return value + z_loss * extra, (grad + z_loss * slope) / temperature


OPTIONS = list(
    itertools.product((False, True), (0.0, 0.2), (None, W), (1.0, 1.7), (0.0, 0.3), (0.0, 2.0))
)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_every_combination(reduction, route):
    for soft, smoothing, weight, temperature, z_loss, gamma in OPTIONS:
        x, target = batch(soft)
        rows, slopes = reference(x, target, smoothing, weight, temperature, z_loss, gamma)
        counted = (ROW_WEIGHT * MASK).numpy()
        total = counted if weight is None or soft else counted * weight[target].numpy()
        over = total.sum() if reduction == "mean" else 1.0
        loss = pt.cross_entropy(
            x,
            target,
            weight,
            reduction=reduction,
            label_smoothing=smoothing,
            temperature=temperature,
            z_loss=z_loss,
            gamma=gamma,
            row_weight=ROW_WEIGHT,
            mask=MASK,
        )
        expected = rows * counted if reduction == "none" else (rows * counted).sum() / over
        np.testing.assert_allclose(loss.detach(), expected, rtol=1e-13)
        gradient = torch.autograd.grad(loss.sum(), x)[0]
        slopes = slopes * counted[:, None] / over
        np.testing.assert_allclose(gradient, slopes, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("soft", [False, True])
def test_softcap(soft, route):
    x, target = batch(soft)
    loss = pt.cross_entropy(x, target, softcap=2.0, temperature=0.5)
    y = x.detach().requires_grad_()
    capped = torch.where(y == -torch.inf, y, 2 * torch.tanh(y / 2))
    expected = pt.cross_entropy(capped / 0.5, target)
    torch.testing.assert_close(loss, expected)
    gradients = torch.autograd.grad(loss, x)[0], torch.autograd.grad(expected, y)[0]
    torch.testing.assert_close(*gradients)
    assert gradients[0].isfinite().all()


def test_denominator_is_the_divisor_of_the_mean(route):
    x, y = batch()
    total = pt.cross_entropy(x, y, reduction="sum")
    for denominator in (7, 7.0, torch.tensor(7), torch.tensor(7.0, dtype=torch.float64)):
        torch.testing.assert_close(pt.cross_entropy(x, y, denominator=denominator), total / 7)
    for reduction in ("sum", "none"):
        with pytest.raises(ValueError, match='denominator must be given with reduction "mean"'):
            pt.cross_entropy(x, y, denominator=7, reduction=reduction)


def test_row_weights_may_be_learned(route):
    x, y = batch()
    w = ROW_WEIGHT.clone().requires_grad_()

    def loss_of(w):
        return pt.cross_entropy(x, y, row_weight=w, denominator=3)

    assert torch.autograd.gradcheck(loss_of, w)
    loss_of(w).backward()
    rows = pt.cross_entropy(x.detach(), y, reduction="none")
    torch.testing.assert_close(w.grad, rows / 3)


def test_what_is_left_out_may_be_anything(route):
    x, y = batch()
    expected = pt.cross_entropy(x[[0, 1, 3]], y[[0, 1, 3]])
    broken = x.detach().clone()
    broken[2] = torch.nan
    broken.requires_grad_()
    for kwargs in ({"mask": MASK}, {"ignore_index": 3}):
        loss = pt.cross_entropy(broken, y, **kwargs)
        torch.testing.assert_close(loss, expected)
        gradient = torch.autograd.grad(loss, broken)[0]
        assert gradient.isfinite().all()
        assert not gradient[2].any()


@pytest.mark.parametrize("soft", [False, True])
def test_statistics(soft, route):
    x, target = batch(soft)
    loss, stats = pt.cross_entropy(x, target, mask=MASK, temperature=2.0, return_stats=True)
    z = x.detach() / 2
    p = z.softmax(1)
    assert loss.requires_grad
    assert not any(s.requires_grad for s in stats)
    torch.testing.assert_close(stats.lse[MASK], z.logsumexp(1)[MASK])
    torch.testing.assert_close(stats.entropy[MASK], torch.special.entr(p).sum(1)[MASK])
    assert torch.equal(stats.argmax[MASK], z.argmax(1)[MASK])
    assert (stats.lse[2], stats.entropy[2], stats.argmax[2]) == (-torch.inf, 0, -1)
    label = target.argmax(1) if soft else target
    assert stats.accuracy == (z.argmax(1) == label)[MASK].float().mean()
    torch.testing.assert_close(loss, pt.cross_entropy(x, target, mask=MASK, temperature=2.0))


def test_statistics_have_the_shape_of_the_rows(route):
    x, y = torch.randn(2, C, 3, 4), torch.randint(C, (2, 3, 4))
    loss, stats = pt.cross_entropy(x, y, reduction="none", return_stats=True)
    assert loss.shape == stats.lse.shape == stats.entropy.shape == stats.argmax.shape == y.shape
    torch.testing.assert_close(stats.lse, x.logsumexp(1))
    _, stats = pt.cross_entropy(x[0, :, 0, 0], y[0, 0, 0], return_stats=True)
    assert stats.lse.shape == ()


@pytest.mark.parametrize("soft", [False, True])
def test_the_other_losses_against_their_formulas(soft, route):
    x, target = batch(soft)
    teacher = torch.linspace(-2, 2, 4 * C, dtype=torch.float64).sin().reshape(4, C)
    teacher[0, 3] = -torch.inf
    a, b, t = x.detach().numpy(), teacher.numpy(), target.numpy()
    cases = [
        (pt.brier_loss(x, target, reduction="none"), plogq.squared_error_from_logits(a, t)),
        (pt.focal_loss(x, target, 1.5, reduction="none"), plogq.focal_from_logits(a, t, gamma=1.5)),
        (
            pt.distillation_loss(x, teacher, temperature=3.0, reduction="none"),
            plogq.distillation_from_logits(a, b, temperature=3.0),
        ),
    ]
    for loss, (value, grad) in cases:
        np.testing.assert_allclose(loss.detach(), value, rtol=1e-12)
        np.testing.assert_allclose(
            torch.autograd.grad(loss.sum(), x)[0], grad, rtol=1e-10, atol=1e-15
        )
    p, q = plogq.softmax(a), plogq.softmax(b)
    loss = pt.js_divergence_loss(x, teacher, reduction="none")
    np.testing.assert_allclose(loss.detach(), plogq.js_divergence(p, q), rtol=1e-12)
    loss = pt.confidence_penalty(x, 0.3, reduction="none")
    np.testing.assert_allclose(loss.detach(), -0.3 * plogq.entropy(p), rtol=1e-12)


def test_distillation_mixes(route):
    x, y = batch()
    teacher = torch.randn(4, C, dtype=torch.float64)
    options = {"row_weight": ROW_WEIGHT, "mask": MASK}
    soft = pt.distillation_loss(x[1:], teacher[1:], temperature=4.0)
    both = pt.distillation_loss(x[1:], teacher[1:], y[1:], temperature=4.0, alpha=0.25)
    torch.testing.assert_close(both, 0.25 * soft + 0.75 * F.cross_entropy(x[1:], y[1:]))
    teacher.requires_grad_()
    pt.distillation_loss(x, teacher, y, **options).backward()
    assert teacher.grad is None


@pytest.mark.parametrize(
    ("normals", "expected"),
    [
        ((0.0, -100.0, 0.0, -100.0), 0.0),
        ((1e-20, -90.0, 0.0, -90.0), 0.0610201),
        ((1e25, 0.0, 0.0, 140.0), 69.5),
    ],
)
def test_gaussian_kl_of_variances_far_from_1(normals, expected):
    """1/s² and (μ − m)² leave the range of float32 where their product does not."""
    mean, log_variance, q_mean, q_log_variance = (torch.tensor([[x]]) for x in normals)
    loss = pt.gaussian_kl(mean, log_variance, q_mean, q_log_variance)
    torch.testing.assert_close(loss.item(), expected, rtol=1e-5, atol=0)


def test_gaussian_kl_of_equal_means_has_its_second_derivative():
    """∂²/∂μ² is 1/s² also where μ = m."""
    mean = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    loss = pt.gaussian_kl(mean, torch.zeros_like(mean), 0.0, 2.0)
    (slope,) = torch.autograd.grad(loss, mean, create_graph=True)
    (second,) = torch.autograd.grad(slope, mean)
    assert second.item() == pytest.approx(math.exp(-2.0))


def test_gaussian_kl_sums_over_the_latent_axis():
    mean, log_variance = torch.randn(5, 3, 7).double(), torch.randn(5, 3, 7).double()
    rows = plogq.normal_kl(mean, log_variance)
    torch.testing.assert_close(pt.gaussian_kl(mean, log_variance, reduction="none"), rows)
    torch.testing.assert_close(pt.gaussian_kl(mean, log_variance), rows.mean())
    torch.testing.assert_close(pt.gaussian_kl(mean, log_variance, denominator=30), rows.sum() / 30)
    torch.testing.assert_close(
        pt.gaussian_kl(mean, log_variance, mean / 2, 0.5, reduction="sum"),
        plogq.normal_kl(mean, log_variance, mean / 2, 0.5).sum(),
    )


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal(alpha):
    z = torch.linspace(-30, 30, 41, dtype=torch.float64, requires_grad=True)
    t = torch.linspace(0, 1, 41, dtype=torch.float64)
    loss = pt.binary_focal_loss(z, t, 1.5, alpha, reduction="none")
    value, grad = plogq.binary_focal_from_logits(z.detach(), t, gamma=1.5, alpha=alpha)
    torch.testing.assert_close(loss.detach(), value, rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.autograd.grad(loss.sum(), z)[0], grad, rtol=1e-10, atol=1e-15)
    mean = pt.binary_focal_loss(z, t, 0.0, reduction="mean")
    torch.testing.assert_close(mean, F.binary_cross_entropy_with_logits(z, t))
    by_positives = pt.binary_focal_loss(z, t, 1.5, alpha, denominator=t.sum())
    torch.testing.assert_close(by_positives, loss.sum() / t.sum())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.uint8])
@pytest.mark.parametrize("loss", [pt.cross_entropy, pt.brier_loss])
def test_row_weights_in_half_precision_are_summed_in_full(dtype, loss, route):
    x = torch.randn(100_000, 2)
    y = torch.randint(2, (100_000,))
    found = loss(x, y, row_weight=torch.ones(100_000, dtype=dtype))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(x, y))
    wide = loss(x, y, row_weight=torch.ones(100_000, dtype=torch.float64), reduction="none")
    assert wide.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_capped_in_full(dtype, route):
    x, y = (20 * torch.randn(50, 7)).to(dtype), torch.randint(7, (50,))
    torch.testing.assert_close(
        pt.cross_entropy(x, y, softcap=30.0), pt.cross_entropy(x.float(), y, softcap=30.0)
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("learned", [False, True])
def test_a_row_without_weight_has_no_say(reduction, learned, route):
    """Be its loss infinite; and a row that is left out may have any weight."""
    x = torch.tensor([[0.0, -torch.inf], [0.0, 1.0], [0.0, 0.0]], requires_grad=True)
    y, mask = torch.tensor([1, 1, 0]), torch.tensor([True, True, False])
    w = torch.tensor([0.0, 2.0, torch.nan], requires_grad=learned)
    loss = pt.cross_entropy(x, y, row_weight=w, mask=mask, reduction=reduction)
    each = torch.tensor([0.0, 2 * F.softplus(torch.tensor(-1.0)), 0.0])
    expected = {"mean": each.sum() / 2, "sum": each.sum(), "none": each}[reduction]
    torch.testing.assert_close(loss, expected)
    gradient = torch.autograd.grad(loss.sum(), x)[0]
    assert not gradient[[0, 2]].any()
    assert gradient[1].all()


@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize(
    "loss", [pt.cross_entropy, pt.brier_loss, pt.nll_loss, pt.binary_cross_entropy_with_logits]
)
def test_denominators(loss, as_tensor, route):
    x, y = torch.randn(4, 3).log_softmax(1), torch.tensor([0, 1, 2, 0])
    batch = (x, x.exp()) if loss is pt.binary_cross_entropy_with_logits else (x, y)
    wrap = torch.tensor if as_tensor else lambda value: value
    total = loss(*batch, reduction="sum")
    torch.testing.assert_close(loss(*batch, denominator=wrap(5.0)), total / 5)
    torch.testing.assert_close(loss(*batch, denominator=wrap(0)), total)  # nothing left: as 1
    for bad in (-2.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"denominator must be finite and not negative"):
            loss(*batch, denominator=wrap(bad))
    with pytest.raises(ValueError, match=r"denominator must be a number or a 0-d tensor; .*\(1,\)"):
        loss(*batch, denominator=torch.tensor([3.0]))
    with pytest.raises(TypeError, match=r"denominator must be a number; got str"):
        loss(*batch, denominator="3")


def test_a_denominator_has_no_gradient(route):
    x, y = batch()
    count = torch.tensor(3.0, requires_grad=True)
    for loss in (pt.cross_entropy, pt.brier_loss):
        loss(x, y, denominator=count).backward()
    assert count.grad is None
