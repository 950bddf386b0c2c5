"""Calls where torch gives a wrong or surprising number: its value, and ours beside it."""

import math

import pytest
import torch
from torch.nn import functional as F

import plogq
import plogq.torch as pt

PERFECT = torch.eye(10)
INF = math.inf


def test_1_probabilities_given_as_logits():
    """pytorch/pytorch#55902: the floor of the mistake is ln(9 + e) − 1, by definition of both."""
    y = torch.arange(10)
    floor = math.log(9 + math.e) - 1
    assert F.cross_entropy(PERFECT, y).item() == pytest.approx(floor)
    assert pt.cross_entropy(PERFECT, y).item() == pytest.approx(floor)
    # What they are: probabilities, which the loss for probabilities takes.
    assert plogq.cross_entropy_from_probs(PERFECT, y).value.tolist() == [0] * 10
    assert pt.nll_loss(PERFECT.log(), y).item() == 0
    # The statistics of the same pass show it: a perfect classifier that is never sure.
    _, stats = pt.cross_entropy(PERFECT, y, return_stats=True)
    assert stats.accuracy == 1
    assert stats.entropy.min() > 2


@pytest.mark.parametrize("extra", [{}, {"weight": torch.ones(3)}, {"label_smoothing": 0.1}])
def test_2_every_target_ignored(extra, route):
    """#70348, #116349."""
    x, y = torch.randn(4, 3, requires_grad=True), torch.full((4,), -100)
    assert F.cross_entropy(x, y, **extra).isnan()
    loss = pt.cross_entropy(x, y, **extra)
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()


def test_3_class_weights_for_labels_and_for_the_same_labels_as_rows(route):
    """#61309, #8062, #65329: torch divides by Σ w_y or by N."""
    x, y = torch.tensor([[1.0, 0.0], [0.2, 0.0], [3.0, 0.0]]), torch.tensor([0, 1, 1])
    w, rows = torch.tensor([1.0, 100.0]), torch.nn.functional.one_hot(y).float()
    torn = F.cross_entropy(x, y, w), F.cross_entropy(x, rows, w)
    assert torn[1] > 60 * torn[0]
    # Under torch's names, torch's numbers; with the divisor said, or under our name, one number.
    torch.testing.assert_close((pt.cross_entropy(x, y, w), pt.cross_entropy(x, rows, w)), torn)
    total = w[y].sum()
    torch.testing.assert_close(pt.cross_entropy(x, rows, w, denominator=total), torn[0])
    torch.testing.assert_close(pt.soft_cross_entropy(x, rows, w), torn[0])


def test_4_a_negative_probability(route):
    """#152437."""
    x, target = torch.tensor([[1.0, 2.0], [4.0, 0.0]]), torch.tensor([[0.5, 0.5], [2.0, -1.0]])
    assert F.cross_entropy(x, target) < 0
    with pytest.raises(ValueError, match=r"target must be .*\(first at row 1\)"):
        pt.cross_entropy(x, target)


def test_5_distributions_with_rows_left_out(route):
    """Pull request #63122."""
    x, target = torch.randn(3, 2), torch.tensor([[0.5, 0.5], [torch.nan, 7.0], [0.0, 1.0]])
    with pytest.raises(RuntimeError, match="ignore_index is not supported"):
        F.cross_entropy(x, target, ignore_index=1)
    mask = torch.tensor([True, False, True])
    found = pt.cross_entropy(x, target, mask=mask)
    torch.testing.assert_close(found, F.cross_entropy(x[mask], target[mask]))


def test_6_kl_div_of_probabilities():
    """#57459, #43348."""
    p = torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    assert F.kl_div(p, p, reduction="batchmean") < -1
    with pytest.raises(ValueError, match=r"input must be log-probabilities, at most 0; got 0.1"):
        pt.kl_div(p, p, reduction="batchmean")
    assert abs(pt.kl_div(p.log(), p, reduction="batchmean").item()) < 1e-7


def test_7_kl_div_divides_by_the_number_of_classes():
    """Its own documentation warns."""
    q, p = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.25, 0.5, 0.25]])
    divergence = plogq.kl_divergence(p, q)[0]
    with pytest.warns(UserWarning, match="batchmean"):
        theirs = F.kl_div(q.log(), p)
    with pytest.warns(UserWarning, match="batchmean"):
        ours = pt.kl_div(q.log(), p)
    torch.testing.assert_close(theirs, divergence / 3)
    torch.testing.assert_close(ours, divergence / 3)
    torch.testing.assert_close(pt.kl_div(q.log(), p, reduction="batchmean"), divergence)


@pytest.mark.parametrize(("rows", "theirs"), [(65_504, 0.695), (65_520, 0.0)])
def test_8_float16_sums_overflow(rows, theirs, route):
    """#85791, #29429."""
    x = torch.zeros(rows, 2, dtype=torch.float16)
    x[:, 1] = 0.0037
    y = torch.zeros(rows, dtype=torch.int64)
    assert F.cross_entropy(x, y).item() == pytest.approx(theirs, abs=2e-3)
    loss = pt.cross_entropy(x, y)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.695, abs=1e-3)


def test_9_a_sigmoid_that_has_rounded_to_1(route):
    """#103316."""
    z = torch.tensor(200.0, requires_grad=True)
    y = torch.tensor(0.0)
    loss = F.binary_cross_entropy(z.sigmoid(), y)
    assert (loss.item(), torch.autograd.grad(loss, z)[0].item()) == (100, 0)
    loss = pt.binary_cross_entropy_with_logits(z, y)
    assert (loss.item(), torch.autograd.grad(loss, z)[0].item()) == (200, 1)
    # The probability itself has lost it: under torch's name its 100, in the measure inf.
    assert pt.binary_cross_entropy(z.sigmoid(), y).item() == 100
    assert plogq.binary_cross_entropy_from_probs(z.detach().sigmoid(), y).value == INF


def test_10_a_binary_label_of_2(route):
    z, y = torch.tensor([1.0, -0.3]), torch.tensor([1.0, 2.0])
    assert F.binary_cross_entropy_with_logits(z[1:], y[1:]) > 0
    assert F.binary_cross_entropy_with_logits(torch.tensor([1.0]), torch.tensor([2.0])) < 0
    for loss in (pt.binary_cross_entropy_with_logits, pt.binary_focal_loss):
        with pytest.raises(ValueError, match=r"target must be .*0, 1.* got 2 \(first at row 1\)"):
            loss(z, y)


@pytest.mark.parametrize("case", ["smoothing", "zero under it"])
def test_11_a_masked_class(case, route):
    x = torch.tensor([[1.0, -INF, 0.5]], requires_grad=True)
    if case == "smoothing":
        target, extra = torch.tensor([0]), {"label_smoothing": 0.1}
    else:
        target, extra = torch.tensor([[0.75, 0.0, 0.25]]), {}
    theirs = F.cross_entropy(x, target, **extra)
    assert theirs == INF or theirs.isnan()
    loss = pt.cross_entropy(x, target, **extra)
    open_ = [0, 2]
    target = target[:, open_] if target.ndim == 2 else target
    y = x.detach()[:, open_].requires_grad_()
    expected = F.cross_entropy(y, target, **extra)
    torch.testing.assert_close(loss, expected)
    gradient, expected = torch.autograd.grad(loss, x)[0], torch.autograd.grad(expected, y)[0]
    torch.testing.assert_close(gradient[:, open_], expected)
    assert gradient[0, 1] == 0


def test_12_kl_div_of_what_both_rule_out():
    q, p = torch.tensor([[-INF, 0.0]]), torch.tensor([[-INF, 0.0]])
    assert math.isnan(F.kl_div(q, p, reduction="sum", log_target=True))
    assert pt.kl_div(q, p, reduction="sum", log_target=True).item() == 0
    assert math.isnan(F.kl_div(q, p.exp(), reduction="sum"))
    assert pt.kl_div(q, p.exp(), reduction="sum").item() == 0


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
def test_nll_loss_of_what_is_no_log_probability(shape):
    torch.manual_seed(0)
    x, y = torch.randn(shape) + 1, torch.zeros(shape[:1] + shape[2:], dtype=torch.int64)
    place = (1, *(2,) * (len(shape) - 2))
    y[place] = 1
    logs = x.log_softmax(1)
    torch.testing.assert_close(pt.nll_loss(logs, y), F.nll_loss(logs, y))
    for wrong, came in ((x.softmax(1), r"0\.\d+"), (x.clamp(min=0.5), r"\d\.?\d*")):
        assert F.nll_loss(wrong, y) < 0
        with pytest.raises(
            ValueError, match=rf"input must be log-prob.* got {came} \(first at row"
        ):
            pt.nll_loss(wrong, y)
        torch.testing.assert_close(pt.nll_loss(wrong, y, validate=False), F.nll_loss(wrong, y))
    logs[(1, 1, *place[1:])] = 0.5
    at = r"1" if len(shape) == 2 else r"\(1, 2\)"
    with pytest.raises(ValueError, match=rf"cross_entropy\); got 0\.5 \(first at row {at}\)"):
        pt.nll_loss(logs, y)
    y[place] = -100
    torch.testing.assert_close(pt.nll_loss(logs, y), F.nll_loss(logs, y))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_nll_loss_takes_what_rounding_puts_above_0(dtype):
    above = torch.finfo(dtype).eps ** 0.5
    x, y = torch.tensor([[0.9 * above, -9.0]], dtype=dtype), torch.tensor([0])
    assert pt.nll_loss(x, y).item() == pytest.approx(-0.9 * above, rel=1e-2)
    with pytest.raises(ValueError, match="input must be log-probabilities"):
        pt.nll_loss(x * 2, y)
    # What no target points at is not looked at.
    assert pt.nll_loss(x * 2, y + 1).item() == pytest.approx(18)


def test_no_classes_at_all():
    x = torch.zeros(3, 0)
    with pytest.raises(IndexError, match="out of bounds"):
        F.cross_entropy(x, torch.tensor([0, 0, 0]))
    assert F.cross_entropy(x, x).isnan()
    assert F.cross_entropy(x[:0], torch.zeros(0, dtype=torch.int64), reduction="sum") == 0
    for target in (torch.tensor([0, 0, 0]), x):
        with pytest.raises(ValueError, match="input must have a class axis, not empty"):
            pt.cross_entropy(x, target)


def test_z_loss_under_class_weights():
    """Liger divides it by the number of rows."""
    x, y = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    w, z = torch.tensor([1.0, 3.0]), 0.1 * x.logsumexp(1) ** 2
    theirs = F.cross_entropy(x, y, w) + z.mean()
    ours = (F.cross_entropy(x, y, w, reduction="sum") + z.sum()) / w[y].sum()
    assert abs(theirs - ours) > 0.1
    torch.testing.assert_close(pt.cross_entropy(x, y, w, z_loss=0.1), ours)


def test_a_binary_focal_loss_of_a_soft_label(route):
    """torchvision and optax weigh both terms by (1 − p_t)^γ."""
    p, t = torch.tensor([0.9]), torch.tensor([0.5])
    p_t = t * p + (1 - t) * (1 - p)
    theirs = (1 - p_t) ** 2 * F.binary_cross_entropy(p, t)
    ours = t * (1 - p) ** 2 * -p.log() + (1 - t) * p**2 * -(1 - p).log()
    assert ours > 3 * theirs
    torch.testing.assert_close(pt.binary_focal_loss(p.logit(), t), ours.mean())
    # Of labels they are one.
    for label in (0.0, 1.0):
        p_t = p if label else 1 - p
        same = (1 - p_t) ** 2 * -p_t.log()
        found = pt.binary_focal_loss(p.logit(), torch.tensor([label]))
        torch.testing.assert_close(found, same.mean())


def chunked_head(h, w, y, **options):
    return F.linear_cross_entropy(h, w, y, options=torch.nn.LinearCrossEntropyOptions(**options))


def test_13_a_chunked_head_in_bfloat16(route):
    torch.manual_seed(0)
    h, w = torch.randn(2048, 64).bfloat16(), torch.randn(1024, 64).bfloat16()
    y = torch.randint(1024, (2048,))
    exact = F.cross_entropy(h.double() @ w.double().T, y).item()
    theirs = chunked_head(h, w, y, batch_chunk_size=32, acc_dtype=torch.bfloat16)
    assert abs(theirs.item() - exact) > 0.05
    chunks = zip(h.split(32), y.split(32), strict=True)
    ours = sum(pt.cross_entropy(part @ w.T, label, denominator=2048) for part, label in chunks)
    # What is left is the rounding of each logit to bfloat16.
    assert ours.item() == pytest.approx(exact, abs=5e-3)


def test_14_a_whole_head_needs_no_chunks_for_its_number():
    """#124480: the chunked head is slower than the whole one; its number is no other."""
    torch.manual_seed(0)
    h = torch.randn(256, 512)
    w = torch.randn(16_000, 512)
    y = torch.randint(16_000, (256,))
    torch.testing.assert_close(pt.cross_entropy(F.linear(h, w), y), chunked_head(h, w, y))


def test_26_gradient_accumulation_over_ragged_batches(route):
    """huggingface/transformers#34191: a mean of means is no mean."""
    torch.manual_seed(0)
    x, y = 2 * torch.randn(8, 5, dtype=torch.float64), torch.randint(5, (8,))
    y[1:4] = -100
    micro = [(x[:4], y[:4]), (x[4:], y[4:])]
    whole = F.cross_entropy(x, y)
    means = sum(F.cross_entropy(a, b) for a, b in micro) / 2
    assert abs(means - whole) > 0.05
    count = (y != -100).sum()
    parts = sum(pt.cross_entropy(a, b, denominator=count) for a, b in micro)
    torch.testing.assert_close(parts, whole, rtol=1e-15, atol=0)
