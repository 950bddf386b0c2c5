"""Bad input: one error that names the argument, what was expected, what came, and where."""

import warnings

import pytest
import torch

import plogq.torch as pt

X = torch.zeros(3, 4)
Y = torch.tensor([0, 3, 1])
SOFT = torch.full((3, 4), 0.25)
LEARNED = torch.tensor(0.5, requires_grad=True)
BAD_ROW = torch.tensor([[0.25] * 4, [0.5, 0.5, 0.5, 0.5], [0.25] * 4])
BATCH_FIRST = torch.zeros(2, 3, 5)  # (batch, time, classes)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # both are prototypes, says torch
    NESTED = torch.nested.nested_tensor([torch.zeros(4), torch.zeros(3)])
    MASKED = torch.masked.masked_tensor(X, X == 0)

CASES = [
    (lambda: pt.cross_entropy(X, Y + 1), ValueError, r"target must be a class .*got 4 .*row 1"),
    (lambda: pt.cross_entropy(X, -Y), ValueError, r"target must be a class .*got -3 .*row 1"),
    (lambda: pt.cross_entropy(X, BAD_ROW), ValueError, r"target must sum to 1.*row 1"),
    (lambda: pt.cross_entropy(X, -SOFT), ValueError, r"target must be .*row 0"),
    (lambda: pt.cross_entropy(X, SOFT / 0), ValueError, r"target must .*row 0"),
    (lambda: pt.cross_entropy(X, Y[:2]), ValueError, r"target must have shape \(3,\).*\(2,\)"),
    (lambda: pt.cross_entropy(X, Y.float()), TypeError, r"target must be integers.*float32"),
    (lambda: pt.cross_entropy(X, X.long()), TypeError, r"target must be floating point.*int64"),
    (
        lambda: pt.cross_entropy(X, Y.to("meta")),
        ValueError,
        r"target must be on the device of input, cpu; got meta",
    ),
    (lambda: pt.cross_entropy(X.long(), Y), TypeError, r"input must be floating point.*int64"),
    (lambda: pt.cross_entropy(X[:, :0], Y), ValueError, r"input must have a class axis, not empty"),
    (lambda: pt.cross_entropy(X[0, 0], Y[0]), ValueError, r"input must have a class axis"),
    (lambda: pt.cross_entropy(X, Y, torch.ones(3)), ValueError, r"weight must have shape \(4,\)"),
    (lambda: pt.cross_entropy(X, Y, label_smoothing=1.5), ValueError, r"label_smoothing .*1\.5"),
    (lambda: pt.cross_entropy(X, Y, reduction="avg"), ValueError, r"reduction must be .*'avg'"),
    (lambda: pt.cross_entropy(X, Y, temperature=0), ValueError, r"temperature must be in \[1e-30"),
    (lambda: pt.cross_entropy(X, Y, gamma=-1), ValueError, r"gamma must be at least 0"),
    (lambda: pt.cross_entropy(X, Y, softcap=0), ValueError, r"softcap must be greater than 0"),
    (lambda: pt.cross_entropy(X, Y, mask=Y), TypeError, r"mask must be bool; got torch.int64"),
    (lambda: pt.cross_entropy(X, Y, mask=Y[:1] == 0), ValueError, r"mask must have the shape"),
    (lambda: pt.cross_entropy(X, Y, row_weight=X), ValueError, r"row_weight must have the shape"),
    (lambda: pt.cross_entropy(X, Y, row_weight=Y == 0), TypeError, r"row_weight must be numbers"),
    (lambda: pt.poly_loss(X, Y, gamma=2.0), ValueError, r"gamma must be left out"),
    (lambda: pt.poly_loss(X, Y, LEARNED), TypeError, r"epsilon must be a number; got Tensor"),
    (lambda: pt.poly_loss(X, Y, -2), ValueError, r"epsilon must be at least -1 and finite"),
    (lambda: pt.generalised_cross_entropy(X, Y, 2), ValueError, r"q must be in \[0, 1\]"),
    (lambda: pt.generalised_cross_entropy(X, Y + 1), ValueError, r"target must be a class"),
    (lambda: pt.brier_loss(X, Y, gamma=2.0), ValueError, r"gamma must be left out"),
    (lambda: pt.cross_entropy(X, Y, z=1), TypeError, r"unexpected keyword argument 'z'"),
    (lambda: pt.nll_loss(X, Y + 1), ValueError, r"target must be a class .*got 4 .*row 1"),
    (
        lambda: pt.nll_loss(X, SOFT),
        ValueError,
        r"target must have shape \(3,\) as class indices; got \(3, 4\)$",
    ),
    (
        lambda: pt.nll_loss(X, Y[:2]),
        ValueError,
        r"target must have shape \(3,\) as class indices; ",
    ),
    (lambda: pt.nll_loss(X[0, 0], Y[0]), ValueError, r"input must have a class axis"),
    (
        lambda: pt.cross_entropy(BATCH_FIRST, BATCH_FIRST[..., 0].long()),
        ValueError,
        r"shape \(2, 5\) as class indices, .*got \(2, 3\): .*input\.movedim\(-1, 1\)",
    ),
    (
        lambda: pt.nll_loss(BATCH_FIRST[None], BATCH_FIRST[None, ..., 0].long()),
        ValueError,
        r"shape \(1, 3, 5\) as class indices; got \(1, 2, 3\): .*input\.movedim\(-1, 1\)",
    ),
    (
        lambda: pt.kl_div(X, SOFT.to_sparse(), reduction="sum"),
        TypeError,
        r"target must be dense: .*to_dense\(\)",
    ),
    (lambda: pt.brier_loss(NESTED, Y), TypeError, r"input must be dense: .*to_padded_tensor\(0\)"),
    (lambda: pt.gaussian_kl(MASKED, X), TypeError, r"mean must be dense: .*get_data\(\)"),
    (lambda: pt.cross_entropy(MASKED, Y), TypeError, r"input must be dense: .*get_data\(\)"),
    (lambda: pt.kl_div(X + 1, SOFT, reduction="sum"), ValueError, r"input must be log-prob"),
    (
        lambda: pt.kl_div(X, X + 1, reduction="sum", log_target=True),
        ValueError,
        "target must be log",
    ),
    (lambda: pt.kl_div(X, -SOFT, reduction="sum"), ValueError, r"target must be prob.*\(0, 0\)"),
    (lambda: pt.kl_div(X, Y, reduction="sum"), ValueError, r"target must broadcast with"),
    (lambda: pt.kl_div(X, X, reduction="avg"), ValueError, r"reduction must be"),
    (lambda: pt.binary_cross_entropy(X + 2, SOFT), ValueError, r"input must be in \[0, 1\]; got 2"),
    (lambda: pt.binary_cross_entropy(SOFT, X - 1), ValueError, r"target must be in .*got -1"),
    (lambda: pt.binary_cross_entropy(SOFT, Y), ValueError, r"target must have the input's shape"),
    (lambda: pt.binary_focal_loss(X, SOFT, mask=X), TypeError, r"mask must be bool; got torch.f"),
    (
        lambda: pt.binary_cross_entropy_with_logits(X, SOFT, mask=SOFT[:, :1].T > 0),
        ValueError,
        r"mask must broadcast to the input's shape",
    ),
    (
        lambda: pt.binary_cross_entropy_with_logits(X, SOFT, ignore_index=0.5),
        TypeError,
        r"ignore_index must be an integer",
    ),
    (
        lambda: pt.binary_cross_entropy_with_logits(X, SOFT, label_smoothing=2),
        ValueError,
        r"label_smoothing must be in \[0, 1\]; got 2",
    ),
    (
        lambda: pt.binary_cross_entropy_with_logits(X, SOFT + 1, label_smoothing=0.9),
        ValueError,
        r"target must be in \[0, 1\]",
    ),
    (
        lambda: pt.binary_cross_entropy_with_logits(X, SOFT, gamma=1.0),
        TypeError,
        r"unexpected keyword argument 'gamma'; options: label_smoothing, ",
    ),
    (lambda: pt.asymmetric_loss(X, SOFT, -1), ValueError, r"gamma_neg must be at least 0"),
    (lambda: pt.asymmetric_loss(X, SOFT, 1, LEARNED), TypeError, r"gamma_pos must be a number"),
    (lambda: pt.asymmetric_loss(X, SOFT, margin=1), ValueError, r"margin must be at least 0 and l"),
    (lambda: pt.binary_focal_loss(X, SOFT, alpha=2), ValueError, r"alpha must be in \[0, 1\]"),
    (lambda: pt.binary_focal_loss(X, SOFT, -1), ValueError, r"gamma must be at least 0"),
    (lambda: pt.distillation_loss(X, X[:2]), ValueError, r"teacher must have the input's shape"),
    (lambda: pt.distillation_loss(X, X, alpha=2), ValueError, r"alpha must be in \[0, 1\]"),
    (lambda: pt.js_divergence_loss(X, X[:2]), ValueError, r"q_logits must have the shape"),
    (lambda: pt.gaussian_kl(X, X[:2]), ValueError, r"log_variance must have the mean's shape"),
    (lambda: pt.gaussian_kl(X.long(), X), TypeError, r"mean must be floating point"),
    (lambda: pt.gaussian_kl(X, X, X[:2]), ValueError, r"q_mean must broadcast to .*\(3, 4\)"),
    (lambda: pt.cross_entropy(X, Y.bool()), TypeError, r"target must be integers.*bool"),
    (lambda: pt.cross_entropy(X, [0, 3, 1]), TypeError, r"target must be a torch.Tensor; got list"),
    (lambda: pt.cross_entropy(X.numpy(), Y), TypeError, r"input must be a torch.Tensor; got ndarr"),
    (lambda: pt.cross_entropy(X, Y, [1.0] * 4), TypeError, r"weight must be a torch.Tensor"),
    (lambda: pt.cross_entropy(X, Y, mask=[True] * 3), TypeError, r"mask must be a torch.Tensor"),
    (lambda: pt.cross_entropy(X, Y, X[0].to("meta")), ValueError, r"weight must be on the device"),
    (lambda: pt.cross_entropy(X, Y, X[0] + 1j), TypeError, r"weight must be real; got torch.comp"),
    (lambda: pt.cross_entropy(X, Y, ignore_index=1.5), TypeError, r"ignore_index must be an int"),
    (lambda: pt.cross_entropy(X, Y, ignore_index=True), TypeError, r"ignore_index must be an int"),
    (lambda: pt.cross_entropy(X, Y, ignore_index=None), TypeError, r"ignore_index must be an int"),
    (lambda: pt.cross_entropy(X, Y, ignore_index=2**70), ValueError, r"ignore_index must fit in"),
    (lambda: pt.cross_entropy(X, SOFT, ignore_index=1), ValueError, r"ignore_index must be left"),
    (lambda: pt.cross_entropy(X, Y, z_loss=None), TypeError, r"z_loss must be a number; got None"),
    (lambda: pt.cross_entropy(X, Y, z_loss=float("nan")), ValueError, r"z_loss must be finite"),
    (lambda: pt.cross_entropy(X, Y, softcap=float("inf")), ValueError, r"softcap must be greater"),
    (lambda: pt.cross_entropy(X, Y, gamma=float("inf")), ValueError, r"gamma must be at least 0"),
    (lambda: pt.cross_entropy(X, Y, temperature=LEARNED), TypeError, r"temperature must be a num"),
    (lambda: pt.cross_entropy(X, Y, z_loss=LEARNED), TypeError, r"z_loss must be a number; got T"),
    (lambda: pt.cross_entropy(X, Y, softcap=LEARNED), TypeError, r"softcap must be a number"),
    (lambda: pt.focal_loss(X, Y, LEARNED), TypeError, r"gamma must be a number; got Tensor"),
    (lambda: pt.brier_loss(X, Y, weight=X[0]), ValueError, r"weight must be left out"),
    (lambda: pt.confidence_penalty(X[0, 0]), ValueError, r"input must have a class axis"),
    (lambda: pt.distillation_loss(X[:, :0], X[:, :0]), ValueError, r"input must have a class axis"),
    (lambda: pt.js_divergence_loss(X, X, beta=2), ValueError, r"beta must be in \[0, 1\]; got 2"),
    (lambda: pt.reverse_kl_loss(X[:1], X), ValueError, r"p_logits must have the shape of q_logits"),
    (lambda: pt.js_divergence_loss(X[0, 0], X[0, 0]), ValueError, r"p_logits must have a class"),
    (
        lambda: pt.binary_cross_entropy_with_logits(X[:1], SOFT[:1], X),
        ValueError,
        r"weight must broadcast to the input's shape \(1, 4\); got \(3, 4\)",
    ),
    (
        lambda: pt.binary_cross_entropy(SOFT[:1], SOFT[:1], X),
        ValueError,
        r"weight must broadcast to the input's shape",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), CASES, ids=[c[2][:30] for c in CASES])
def test_refused(call, error, message, route):
    with pytest.raises(error, match=message):
        call()


def test_validation_can_be_switched_off():
    unnormalised = pt.cross_entropy(X, BAD_ROW, validate=False)
    torch.testing.assert_close(unnormalised, torch.nn.functional.cross_entropy(X, BAD_ROW))
    assert pt.binary_cross_entropy_with_logits(X + 1, X + 2, validate=False) < 0
    assert pt.kl_div(X + 1, SOFT, reduction="sum", validate=False) < 0


def test_the_row_of_a_map_is_its_place():
    target = torch.zeros(2, 5, 6, dtype=torch.int64)
    target[1, 2, 3] = 4
    with pytest.raises(ValueError, match=r"got 4 \(first at row \(1, 2, 3\)\)"):
        pt.cross_entropy(torch.zeros(2, 4, 5, 6), target)


@pytest.mark.parametrize("bad", [4, -1])
def test_a_label_that_is_no_class_is_never_a_number(bad, route):
    y = torch.tensor([0, bad, 1])
    for loss in (pt.cross_entropy, pt.focal_loss, pt.brier_loss, pt.nll_loss):
        with pytest.raises((ValueError, RuntimeError, IndexError)):
            loss(X, y, validate=False)
        gradient = torch.func.grad(lambda x, f=loss: f(x, y))(X)
        assert gradient.isnan().any(1).tolist() == [False, True, False]
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        pt.cross_entropy(X, y, torch.ones(4), gamma=1.0, label_smoothing=0.1, validate=False)
