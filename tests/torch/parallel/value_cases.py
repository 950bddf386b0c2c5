"""The loss and the gradient of parts are those of one process that has all classes."""

import contextlib

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.parallel.processes import Cases

CASES = Cases()
R, C = 13, 11
_GENERATOR = torch.Generator().manual_seed(19)


def _rand(*shape):
    return torch.rand(shape, dtype=torch.float64, generator=_GENERATOR)


LOGITS = 3 * torch.randn(R, C, dtype=torch.float64, generator=_GENERATOR)
LABELS = torch.arange(R) * 5 % C
LABELS[3] = -100
LABELS[0] = LOGITS[0].argmax()
LOGITS[5] = -torch.inf  # all but two classes are masked, and so is a whole part
LOGITS[5, 3:5] = torch.tensor([1.0, 2.0])
LABELS[5] = 3
LOGITS[6, :6] = -torch.inf
LABELS[6] = 7
LOGITS[7, 0], LABELS[7] = 80.0, 0
LOGITS[8] = 1.5  # every class is tied
SOFT = _rand(R, C)
SOFT[LOGITS.isinf()] = 0.0
SOFT /= SOFT.sum(1, keepdim=True)
WEIGHT, PLACES, MASK = _rand(C) + 0.1, _rand(R), _rand(R) > 0.3
UPSTREAM = _rand(R) - 0.5

OPTIONS = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "smoothing alone": {"label_smoothing": 1.0},
    "class weights": {"weight": WEIGHT},
    "class weights and smoothing": {"weight": WEIGHT, "label_smoothing": 0.2},
    "ignored class": {"target": LABELS.clamp(min=0), "ignore_index": 7},
    "temperature": {"temperature": 0.5},
    "z-loss": {"z_loss": 0.01},
    "gamma": {"gamma": 2.0},
    "gamma, weights, temperature": {"gamma": 1.5, "weight": WEIGHT, "temperature": 2.0},
    "softcap": {"softcap": 5.0},
    "row weights": {"row_weight": PLACES},
    "mask": {"mask": MASK},
    "denominator": {"denominator": 7.5},
    "denominator in a tensor": {"denominator": torch.tensor(7)},
    "statistics": {"return_stats": True},
    "distributions": {"target": SOFT},
    "distributions with all": {
        "target": SOFT, "weight": WEIGHT, "label_smoothing": 0.1, "temperature": 2.0,
        "z_loss": 0.01, "mask": MASK, "row_weight": PLACES, "softcap": 9.0, "return_stats": True,
    },
    "gamma of smoothed labels": {"gamma": 2.0, "label_smoothing": 0.1, "weight": WEIGHT},
    "gamma of distributions": {"gamma": 1.5, "target": SOFT, "temperature": 2.0, "mask": MASK},
    "gamma of smoothed distributions": {
        "gamma": 0.5, "target": SOFT, "label_smoothing": 0.1, "weight": WEIGHT, "z_loss": 0.01,
        "return_stats": True,
    },
    "all": {
        "weight": WEIGHT, "label_smoothing": 0.1, "temperature": 0.5, "z_loss": 0.01, "mask": MASK,
        "row_weight": PLACES, "softcap": 9.0, "return_stats": True,
    },
}  # fmt: skip


def of_dtype(options, dtype):
    """Return options with their tensors of numbers in this dtype."""
    return {
        k: v.to(dtype) if isinstance(v, torch.Tensor) and v.is_floating_point() else v
        for k, v in options.items()
    }


def loss_and_rest(found):
    """Return the loss, and the tensors that come with it."""
    return (found[0], list(found[1])) if isinstance(found, tuple) else (found, [])


def backward(loss):
    """Give the loss an upstream that no row has in common with another."""
    (loss * (UPSTREAM.to(loss.dtype) if loss.ndim else 1.7)).sum().backward()


def compare(here, reduction, options, dtype, tolerance):
    """Compare a loss in parts with that of one process."""
    options = of_dtype(options, dtype)
    target = options.pop("target", LABELS)
    whole = LOGITS.to(dtype).clone().requires_grad_()
    expected, figures = loss_and_rest(
        pt.cross_entropy(whole, target, reduction=reduction, **options)
    )
    backward(expected)
    own = here.part(LOGITS.to(dtype)).requires_grad_()
    target = here.part(target) if target.is_floating_point() else target
    found, own_figures = loss_and_rest(
        parallel.cross_entropy(own, target, reduction=reduction, **options)
    )
    backward(found)
    pairs = [(found, expected), (own.grad, here.part(whole.grad))]
    for ours, theirs in [*pairs, *zip(own_figures, figures, strict=True)]:
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


@CASES
def every_option_in_float64(here):
    for engine in ("native", "blocks"):
        forced = parallel.engine(engine) if engine == "blocks" else contextlib.nullcontext()
        with forced:
            for name, options in OPTIONS.items():
                for reduction in ("mean", "sum", "none"):
                    if reduction == "mean" or "denominator" not in options:
                        compare(here, reduction, options, torch.float64, 1e-12)
                    assert name


@CASES
def every_option_in_float32(here):
    for options in OPTIONS.values():
        compare(here, "mean", options, torch.float32, 4e-6)


@CASES
def torch_has_the_same_numbers(here):
    """Against torch's own loss of all classes, in float64, without what torch has otherwise."""
    x, y = LOGITS[9:], LABELS[9:]
    for options in ({}, {"label_smoothing": 0.2}, {"weight": WEIGHT}, {"reduction": "none"}):
        for target in (y, SOFT[9:]):
            whole = x.clone().requires_grad_()
            expected = F.cross_entropy(whole, target, **options)
            expected.sum().backward()
            own = here.part(x).requires_grad_()
            target = here.part(target) if target.is_floating_point() else target
            found = parallel.cross_entropy(own, target, **options)
            found.sum().backward()
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
            torch.testing.assert_close(own.grad, here.part(whole.grad), rtol=1e-11, atol=1e-14)


@CASES
def half_precision_is_summed_in_float32(here):
    for dtype, of_gradient in ((torch.bfloat16, 2**-8), (torch.float16, 2**-11)):
        for options in ({}, {"label_smoothing": 0.1}, {"gamma": 1.0}, {"temperature": 3.0}):
            x = LOGITS.to(dtype)
            whole = x.double().requires_grad_()
            expected = pt.cross_entropy(whole, LABELS, reduction="none", **options)
            backward(expected)
            own = here.part(x).requires_grad_()
            found = parallel.cross_entropy(own, LABELS, reduction="none", **options)
            backward(found)
            assert found.dtype == torch.float32
            assert own.grad.dtype == dtype
            torch.testing.assert_close(found.double(), expected, rtol=4e-6, atol=4e-6)
            right = here.part(whole.grad)
            error = (own.grad.double() - right).abs()
            assert (error <= of_gradient * right.abs() + 1e-7).all()


@CASES
def a_confident_prediction_keeps_its_digits(here):
    """A loss of 1e-30 and the gradient beside it, whichever rank has the label."""
    for label in (0, C - 1):
        x = torch.full((1, C), 0.0, dtype=torch.float64)
        x[0, label] = 70.0
        own = here.part(x).requires_grad_()
        loss = parallel.cross_entropy(own, torch.tensor([label]))
        loss.backward()
        rest = (C - 1) * torch.tensor(-70.0, dtype=torch.float64).exp()
        torch.testing.assert_close(loss, rest, rtol=1e-12, atol=0)
        right = torch.full((1, C), 1.0, dtype=torch.float64) * rest / (C - 1)
        right[0, label] = -rest
        torch.testing.assert_close(own.grad, here.part(right), rtol=1e-12, atol=0)


@CASES
def shapes_and_strides(here):
    for shape in ((C,), (4, C), (1, C), (2, C, 3), (2, C, 40), (0, C)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
        axis = 0 if len(shape) == 1 else 1
        y = torch.arange(x[..., 0].numel() if axis == 0 else x.numel() // C) % C
        y = y.reshape([s for i, s in enumerate(shape) if i != axis])
        whole = x.clone().requires_grad_()
        expected = pt.cross_entropy(whole, y, reduction="none")
        expected.sum().backward()
        leaf = here.part(x, axis).requires_grad_()
        for own in (
            leaf,
            leaf.movedim(axis, 0).contiguous().movedim(0, axis),
            leaf.flip(-1).flip(-1),
        ):
            leaf.grad = None
            found = parallel.cross_entropy(own, y, reduction="none")
            found.sum().backward()
            torch.testing.assert_close(found, expected)
            torch.testing.assert_close(leaf.grad, here.part(whole.grad, axis))


@CASES
def nothing_left_costs_nothing(here):
    nothing = torch.full((R,), -100)
    for options in ({}, {"label_smoothing": 0.1}, {"target": SOFT, "mask": MASK & False}):
        options = {"target": nothing, **options}
        target = options.pop("target")
        own = torch.full_like(here.part(LOGITS), torch.nan).requires_grad_()
        target = here.part(target) if target.is_floating_point() else target
        loss = parallel.cross_entropy(own, target, **options)
        loss.backward()
        assert loss == 0
        assert not own.grad.any()


@CASES
def not_a_number_stays_in_its_row(here):
    for bad in (torch.nan, torch.inf):
        for options in ({}, {"label_smoothing": 0.1}):
            x = torch.arange(3.0 * C).reshape(3, C) / 9
            x[1, C - 1] = bad
            own = here.part(x).requires_grad_()
            loss = parallel.cross_entropy(own, torch.tensor([0, 1, 2]), reduction="none", **options)
            loss.sum().backward()
            assert loss.isnan().tolist() == [False, True, False]
            assert own.grad[1].isnan().all()
            assert own.grad[::2].isfinite().all()
    own = here.part(torch.full((1, C), -torch.inf)).requires_grad_()
    loss = parallel.cross_entropy(own, torch.tensor([0]))
    loss.backward()
    assert loss.isnan()
    assert own.grad.isnan().all()


@CASES
def a_masked_label_costs_infinity(here):
    x = torch.arange(2.0 * C, dtype=torch.float64).reshape(2, C).sin()
    x[0, 2] = x[1, C - 1] = -torch.inf
    y = torch.tensor([2, C - 1])
    for options in ({}, {"label_smoothing": 0.1}, {"label_smoothing": 0.1, "weight": WEIGHT}):
        whole, own = x.clone().requires_grad_(), here.part(x).requires_grad_()
        pt.cross_entropy(whole, y, reduction="sum", **options).backward()
        loss = parallel.cross_entropy(own, y, reduction="sum", **options)
        loss.backward()
        assert loss == torch.inf
        torch.testing.assert_close(own.grad, here.part(whole.grad))


@CASES
def a_masked_label_in_a_masked_part(here):
    """No class of the label's part is open, and it has the gradient that one process gives it."""
    cut = here.cut(C)
    for rank in range(here.size):
        part = here._replace(rank=rank).cut(C)
        for label in range(part.start, part.stop)[:2]:
            x = torch.arange(2.0 * C, dtype=torch.float64).reshape(2, C).sin()
            x[0, part] = -torch.inf
            for options in ({}, {"label_smoothing": 0.1, "weight": WEIGHT}, {"gamma": 2.0}):
                whole, own = x.clone().requires_grad_(), x[:, cut].clone().requires_grad_()
                y = torch.tensor([label, 3])
                pt.cross_entropy(whole, y, reduction="sum", **options).backward()
                parallel.cross_entropy(own, y, reduction="sum", **options).backward()
                torch.testing.assert_close(own.grad, whole.grad[:, cut])


@CASES
def padding_has_no_part(here):
    """The last columns hold anything, beyond a vocabulary that no part's end meets."""
    for vocab in (C - 1, C - 6, 1):
        for options in ({}, {"label_smoothing": 0.1}, {"weight": WEIGHT[:vocab]}, {"target": SOFT}):
            options = dict(options)
            target = options.pop("target", LABELS % vocab)
            if target is SOFT:
                target = SOFT[9:, :vocab] / SOFT[9:, :vocab].sum(1, keepdim=True)
            target = target[-4:]
            whole = LOGITS[-4:, :vocab].clone().requires_grad_()
            expected = pt.cross_entropy(whole, target, **options)
            expected.backward()
            x = LOGITS[-4:].clone()
            x[:, vocab:] = torch.nan
            own = here.part(x).requires_grad_()
            if target.is_floating_point():
                target = here.part(F.pad(target, (0, C - vocab)))
            if "weight" in options and vocab == C - 6:  # of four parts one is as wide as that
                options["weight"] = F.pad(options["weight"], (0, C - vocab), value=torch.nan)
            found = parallel.cross_entropy(own, target, vocab=vocab, **options)
            found.backward()
            torch.testing.assert_close(found, expected)
            padded = F.pad(whole.grad, (0, C - vocab))
            torch.testing.assert_close(own.grad, here.part(padded))


@CASES
def class_weights_in_parts(here):
    whole = parallel.cross_entropy(here.part(LOGITS), LABELS, WEIGHT)
    part = parallel.cross_entropy(here.part(LOGITS), LABELS, here.part(WEIGHT))
    assert torch.equal(whole, part)


@CASES
def the_gradient_may_overwrite_the_logits(here):
    for options in ({}, {"label_smoothing": 0.1}):
        leaf = here.part(LOGITS).requires_grad_()
        parallel.cross_entropy(leaf, LABELS, **options).backward()
        right, leaf.grad = leaf.grad, None
        logits = leaf * 1
        loss = parallel.cross_entropy(logits, LABELS, inplace=True, **options)
        loss.backward(retain_graph=True)
        torch.testing.assert_close(leaf.grad, right)
        if right.numel():
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                loss.backward()
            torch.testing.assert_close(logits.detach(), right)
    with (
        pytest.raises(ValueError, match="inplace must be False for logits that are a leaf")
        if leaf.numel()
        else contextlib.nullcontext()
    ):
        parallel.cross_entropy(leaf, LABELS, inplace=True)


@CASES
def learned_row_weights_get_their_gradient(here):
    for reduction in ("mean", "none"):
        grads = []
        for loss, x in ((pt.cross_entropy, LOGITS), (parallel.cross_entropy, here.part(LOGITS))):
            places = PLACES.clone().requires_grad_()
            loss(x, LABELS, row_weight=places, reduction=reduction).sum().backward()
            grads.append(places.grad)
        torch.testing.assert_close(grads[1], grads[0])


@CASES
def logprobs_and_entropy(here):
    for options in ({}, {"temperature": 0.7, "softcap": 4.0}, {"mask": MASK}):
        wholes, parts = LOGITS.clone().requires_grad_(), here.part(LOGITS).requires_grad_()
        found = parallel.logprobs(parts, LABELS, top_k=4, **options)
        z = pt.softmax.capped(wholes, options["softcap"]) if "softcap" in options else wholes
        logp = (z / options.get("temperature", 1.0)).log_softmax(1)
        kept = (LABELS != -100) & options.get("mask", MASK | True)
        picked = torch.where(kept, logp.gather(1, LABELS.clamp(min=0)[:, None])[:, 0], 0.0)
        plogp = torch.where(logp == -torch.inf, 0.0, logp.exp() * logp.clamp(min=-1e300))
        entropy = torch.where(kept, -plogp.sum(1), 0.0)
        torch.testing.assert_close(found.logprobs, picked)
        torch.testing.assert_close(found.entropy, entropy)
        best = logp.topk(4)
        torch.testing.assert_close(found.top_logprobs[kept], best.values[kept].detach())
        unique = kept & (best.values[:, 3] > -torch.inf) & (torch.arange(R) != 8)
        assert torch.equal(found.top_ids[unique], best.indices[unique])
        assert (found.top_ids[~kept] == -1).all()
        (2 * picked.sum() + (UPSTREAM * entropy).sum()).backward()
        (2 * found.logprobs.sum() + (UPSTREAM * found.entropy).sum()).backward()
        torch.testing.assert_close(parts.grad, here.part(wholes.grad.nan_to_num(0.0)))


@CASES
def masked_classes_are_among_the_likeliest_before_none(here):
    """Asked for all classes, each comes once, whichever parts are short, empty or masked."""
    x = torch.full((2, C), -torch.inf, dtype=torch.float64)
    x[0, [4, 2]] = torch.tensor([2.0, 1.0], dtype=torch.float64)
    x[1] = torch.arange(C)
    found = parallel.logprobs(here.part(x), torch.tensor([2, 3]), top_k=C)
    assert found.top_ids.sort(1).values.tolist() == [list(range(C))] * 2
    assert found.top_ids[:, :2].tolist() == [[4, 2], [C - 1, C - 2]]
    by_class = x.log_softmax(1).gather(1, found.top_ids)
    torch.testing.assert_close(found.top_logprobs, by_class)
    matrix, bias = torch.zeros(C, 1).double(), x[0]
    of_head = parallel.linear_logprobs(
        torch.ones(1, 1).double(), here.part(matrix, 0), torch.tensor([2]), top_k=C,
        linear_bias=here.part(bias, 0),
    )  # fmt: skip
    assert of_head.top_ids.sort(1).values.tolist() == [list(range(C))]


@CASES
def two_heads_of_one_group(here):
    """Parts of one width here and of two elsewhere: every rank learns where its classes begin."""
    for classes in (C, C + 3, C, C + 3):
        x = torch.arange(2.0 * classes).reshape(2, classes).cos()
        y = torch.tensor([classes - 1, 1])
        expected = pt.cross_entropy(x, y)
        found = parallel.cross_entropy(here.part(x), y)
        torch.testing.assert_close(found, expected)
