"""What torch's function takes beyond a matrix: K-dimensional logits, and its options object."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES

pytestmark = pytest.mark.skipif(
    not hasattr(F, "linear_cross_entropy"), reason="this torch has no such function"
)
N, D, C = 7, 4, 5
AXES = [(3,), (2, 3), (1,)]
_GENERATOR = torch.Generator().manual_seed(3)


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=_GENERATOR)


W = torch.linspace(0.5, 2, C, dtype=torch.float64)


def given(axes, soft):
    """Return hidden rows, matrices, biases, and a target."""
    layer = normal(N, D), normal(C, *axes, D), normal(C, *axes)
    if soft:
        return layer, normal(N, C, *axes).softmax(1)
    target = torch.randint(C, (N, *axes), generator=_GENERATOR)
    target[::3] = -100
    return layer, target


def value_and_gradients(function, tensors, target, **options):
    tensors = [t.clone().requires_grad_() for t in tensors]
    found = function(*tensors[:2], target, linear_bias=tensors[2], **options)
    return found, *torch.autograd.grad((found * found.detach().cos()).sum(), tensors)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("axes", AXES)
def test_torchs_numbers(axes, reduction, soft):
    tensors, target = given(axes, soft)
    for options in ({}, {"weight": W, "label_smoothing": 0.1}):
        with ENGINES.seen() as seen:
            found = value_and_gradients(
                pt.linear_cross_entropy, tensors, target, reduction=reduction, workspace=500,
                **options,
            )  # fmt: skip
        assert set(seen) == {"native"}
        expected = value_and_gradients(
            F.linear_cross_entropy, tensors, target, reduction=reduction, **options
        )
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("denominator", [None, 4.0, torch.tensor(4)])
def test_every_option_is_that_of_all_logits(denominator):
    (hidden, matrices, bias), target = given((2, 3), False)
    mask, places = normal(N, 2, 3) > -1, normal(N, 2, 3).abs()
    options = {"mask": mask, "row_weight": places, "z_loss": 0.1, "softcap": 3.0, "weight": W}
    for reduction in ("mean", "sum", "none"):
        if reduction == "mean":
            options["denominator"] = denominator
        else:
            options.pop("denominator", None)
        found = pt.linear_cross_entropy(
            hidden, matrices, target, linear_bias=bias, reduction=reduction, **options
        )
        logits = torch.einsum("nd,c...d->nc...", hidden, matrices) + bias
        expected = pt.cross_entropy(logits, target, reduction=reduction, **options)
        torch.testing.assert_close(found, expected)


def test_nothing_left_is_loss_0_and_gradient_0():
    (hidden, matrices, bias), target = given((3,), False)
    target = torch.full_like(target, -100)
    found, *gradients = value_and_gradients(
        pt.linear_cross_entropy, (hidden, matrices, bias), target
    )
    assert found == 0
    assert not any(g.any() for g in gradients)


@pytest.mark.parametrize("bias", [False, True])
def test_the_module_is_torchs(bias):
    options = {"out_features": (2, 3), "bias": bias, "ignore_index": 1}
    theirs = torch.nn.LinearCrossEntropyLoss(D, C, **options)
    ours = pt.LinearCrossEntropyLoss(
        D, C, **options, options=torch.nn.LinearCrossEntropyOptions(), z_loss=0.0
    )
    ours.load_state_dict(theirs.state_dict())
    (hidden, *_), target = given((2, 3), False)
    target = target.clamp(min=0)
    torch.testing.assert_close(ours(hidden.float(), target), theirs(hidden.float(), target))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_torchs_options_that_leave_the_chunks_alone(dtype):
    hidden, matrix = normal(N, D).to(dtype), normal(C, D).to(dtype)
    target = torch.arange(N) % C
    expected = pt.linear_cross_entropy(hidden, matrix, target)
    made = torch.nn.LinearCrossEntropyOptions
    for options in (
        None, made(), made(allow_retain_graph=True), made(acc_policy="compact"),
        made(acc_dtype=torch.float32), made(chunking_method=None),
    ):  # fmt: skip
        found = pt.linear_cross_entropy(hidden, matrix, target, options=options)
        assert torch.equal(found, expected)


REFUSED = {
    "chunks": ({"options": {"batch_chunk_size": 8}}, "options must leave the chunks .*; got 8"),
    "a method of chunks": (
        {"options": {"chunking_method": "aspect_ratio:2"}}, "got aspect_ratio:2"),
    "half sums": ({"options": {"acc_dtype": torch.bfloat16}}, "options must have an acc_dtype of"),
    "another object": ({"options": 3}, "options must be a torch.nn.LinearCrossEntropyOptions"),
    "rows": ({"input": normal(2, N, D)}, r"input must have shape \(N, 4\) beside"),
    "labels": ({"target": torch.zeros(N).long()}, r"target must have shape \(7, 3\) as class"),
    "bias": ({"linear_bias": normal(C)}, r"linear_bias must have shape \(5, 3\)"),
    "mask": ({"mask": torch.ones(N) > 0}, "mask must have the shape of the unreduced loss"),
    "no position": ({"linear_weight": normal(C, 0, D)}, "linear_weight must have no axis of size"),
    "shift": ({"shift": True}, "shift must be left out with a linear_weight of more than"),
    "statistics": ({"return_stats": True}, "return_stats must be left out"),
    "a count": ({"valid": 0}, "valid must be left out"),
    "reduction": ({"reduction": "batchmean"}, "reduction must be"),
    "an option nobody knows": ({"gama": 1}, "unexpected keyword"),
    "a label that is no class": ({"target": torch.full((N, 3), 9)}, "target .*; got 9 .*row 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    options, message = REFUSED[name]
    (hidden, matrices, bias), target = given((3,), False)
    named = {"input": hidden, "linear_weight": matrices, "target": target, "linear_bias": bias}
    if isinstance(chunking := options.get("options"), dict):
        options = {"options": torch.nn.LinearCrossEntropyOptions(**chunking)}
    with pytest.raises((ValueError, TypeError), match=message):
        pt.linear_cross_entropy(**named | options)
