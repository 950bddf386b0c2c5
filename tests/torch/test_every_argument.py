"""Every loss with every argument that it has, beside its equation in plain torch, in float64."""

import functools
import inspect

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


def capped(x, softcap):
    return x if softcap is None else softcap * torch.tanh(x / softcap)


def one_hot(target):
    return target if target.ndim == 2 else F.one_hot(target, C).double()


def focal(x, target, gamma=0.0, weight=None, label_smoothing=0.0):
    t = (1 - label_smoothing) * one_hot(target) + label_smoothing / C
    t = t if weight is None else t * weight
    p = x.softmax(1)
    return -(t * (1 - p) ** gamma * p.log()).sum(1)


def of_surprisal(x, target, cost, weight=None, label_smoothing=0.0):
    t = (1 - label_smoothing) * one_hot(target) + label_smoothing / C
    return ((t if weight is None else t * weight) * cost(x.softmax(1))).sum(1)


def generalised(x, target, q=0.7, **options):
    return of_surprisal(x, target, lambda p: (1 - p**q) / q, **options)


def poly(x, target, epsilon=2.0, **options):
    return of_surprisal(x, target, lambda p: -p.log() + epsilon * (1 - p), **options)


def kl(p, q):
    return (p * (p.log() - q.log())).sum(1)


def js(x, other, beta=0.5):
    p, q = x.softmax(1), other.softmax(1)
    m = beta * p + (1 - beta) * q
    return beta * kl(p, m) + (1 - beta) * kl(q, m)


SHARED = {
    "softcap": 2.0,
    "z_loss": 0.3,
    "row_weight": ROW_WEIGHT,
    "mask": MASK,
    "denominator": 7.0,
    "return_stats": True,
    "inplace": False,
    "validate": False,
}
CLASSES = {"weight": W, "label_smoothing": 0.2, "gamma": 1.5}
TEMPERED = {"temperature": 1.7}


# name: (loss, its equation of (z, options), the tensors of a batch, its own arguments)
LOSSES = {
    "cross_entropy": (pt.cross_entropy, lambda z, **o: focal(z, Y, **o), (X, Y), CLASSES),
    "soft_cross_entropy": (
        pt.soft_cross_entropy,
        lambda z, **o: focal(z, SOFT, **o),
        (X, SOFT),
        CLASSES,
    ),
    "focal_loss": (
        pt.focal_loss,
        lambda z, gamma=2.0, **o: focal(z, Y, gamma, **o),
        (X, Y),
        CLASSES,
    ),
    "focal_loss of distributions": (
        pt.focal_loss,
        lambda z, gamma=2.0, **o: focal(z, SOFT, gamma, **o),
        (X, SOFT),
        CLASSES,
    ),
    "generalised": (
        pt.generalised_cross_entropy,
        lambda z, **o: generalised(z, Y, **o),
        (X, Y),
        {"q": 0.4, "weight": W, "label_smoothing": 0.2},
    ),
    "generalised of distributions": (
        pt.generalised_cross_entropy,
        lambda z, **o: generalised(z, SOFT, **o),
        (X, SOFT),
        {"q": 1.0, "weight": W, "label_smoothing": 0.2},
    ),
    "poly": (
        pt.poly_loss,
        lambda z, **o: poly(z, Y, **o),
        (X, Y),
        {"epsilon": -0.5, "weight": W, "label_smoothing": 0.2},
    ),
    "poly of distributions": (
        pt.poly_loss,
        lambda z, **o: poly(z, SOFT, **o),
        (X, SOFT),
        {"epsilon": 1.0, "weight": W, "label_smoothing": 0.2},
    ),
    "brier_loss": (
        pt.brier_loss,
        lambda z: ((z.softmax(1) - one_hot(Y)) ** 2).sum(1),
        (X, Y),
        {},
    ),
    "confidence_penalty": (
        pt.confidence_penalty,
        lambda z, beta=0.1: beta * (z.softmax(1) * z.log_softmax(1)).sum(1),
        (X,),
        {"beta": 0.7},
    ),
}


def rows_of(loss, equation, options):
    """Give the rows of the equation, and what each weighs in a mean."""
    options = dict(options)
    shared = {name: options.pop(name, None) for name in (*SHARED, *TEMPERED)}
    z = capped(X, shared["softcap"]) / (shared["temperature"] or 1.0)
    rows = equation(z, **options) + (shared["z_loss"] or 0.0) * z.logsumexp(1) ** 2
    counts = torch.ones(N, dtype=torch.float64)
    if shared["mask"] is not None:
        counts = counts * MASK
    if shared["row_weight"] is not None:
        counts = counts * ROW_WEIGHT
    by_class = options.get("weight") is not None and loss not in ("brier_loss",)
    total = counts
    if by_class and not loss.endswith("distributions"):
        label = SOFT @ W if loss == "soft_cross_entropy" else W[Y]
        total = counts * label
    return rows * counts, shared["denominator"] or total.sum()


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_softmax_losses(name, together, route):
    loss, equation, batch, own = LOSSES[name]
    arguments = SHARED | TEMPERED | own
    named = set(inspect.signature(loss).parameters) - {"options", "reduction", "ignore_index"}
    named -= {"size_average", "reduce", "input", "target"}
    assert named <= arguments.keys()  # the table knows all that the loss has
    cases = [arguments] if together else [{}, *({k: v} for k, v in arguments.items())]
    for options in cases:
        rows, total = rows_of(name, equation, options)
        given = {k: v for k, v in options.items() if k != "denominator"}
        found = [loss(*batch, reduction=kind, **given) for kind in ("none", "sum")]
        found.append(loss(*batch, **options))
        if options.get("return_stats"):
            found = [value for value, _ in found]
        expected = (rows, rows.sum(), rows.sum() / total)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14, msg=f"{options.keys()}")


@pytest.mark.parametrize("target", [None, Y, SOFT])
def test_distillation(target, route):
    for own in ({}, {"temperature": 3.0}, {"alpha": 0.25}, {"alpha": 1.0}):
        t, alpha = own.get("temperature", 2.0), own.get("alpha", 0.5)
        for options in ({}, {"softcap": 2.0}, {"z_loss": 0.1}, {"mask": MASK, "denominator": 3.0}):
            z = capped(X, options.get("softcap"))
            rows = t**2 * kl((OTHER / t).softmax(1), (z / t).softmax(1))
            if target is not None:
                rows = alpha * rows + (1 - alpha) * focal(z, target)
            rows = rows + options.get("z_loss", 0.0) * (z / t).logsumexp(1) ** 2
            expected = rows.mean() if "mask" not in options else (rows * MASK).sum() / 3
            found = pt.distillation_loss(X, OTHER, target, **own, **options)
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


OF_TWO = {
    "js": (pt.js_divergence_loss, js),
    "js of beta": (
        functools.partial(pt.js_divergence_loss, beta=0.3),
        functools.partial(js, beta=0.3),
    ),
    "js of 0": (
        functools.partial(pt.js_divergence_loss, beta=0),
        lambda x, y: kl(x.softmax(1), y.softmax(1)),
    ),
    "js of 1": (
        functools.partial(pt.js_divergence_loss, beta=1),
        lambda x, y: kl(y.softmax(1), x.softmax(1)),
    ),
    # The model is the second argument, and what belongs to one of the two belongs to the model.
    "reverse KL": (
        lambda q, p, **options: pt.reverse_kl_loss(p, q, **options),
        lambda q, p: kl(q.softmax(1), p.softmax(1)),
    ),
}


@pytest.mark.parametrize("name", OF_TWO)
def test_losses_of_two(name):
    loss, equation = OF_TWO[name]
    for options in ({}, *({k: v} for k, v in (SHARED | TEMPERED).items())):
        z, other = (capped(a, options.get("softcap")) for a in (X, OTHER))
        t = options.get("temperature", 1.0)
        rows = equation(z / t, other / t) + options.get("z_loss", 0.0) * z.logsumexp(1) ** 2
        counts = torch.ones(N).double()
        counts = counts * (MASK if "mask" in options else 1)
        counts = counts * (ROW_WEIGHT if "row_weight" in options else 1)
        found = loss(X, OTHER, **options)
        found = found[0] if "return_stats" in options else found
        expected = (rows * counts).sum() / options.get("denominator", counts.sum())
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    broken = OTHER.clone().requires_grad_()
    with torch.no_grad():
        broken[1] = torch.nan
    value = loss(X, broken, mask=MASK)
    torch.testing.assert_close(value, equation(X, OTHER)[MASK].mean())
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
