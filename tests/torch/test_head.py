"""A head in half precision, its memory and its module."""

import pickle
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines.head_pieces import Pieces
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    MATRIX,
    SOFT,
    WEIGHT,
    C,
    D,
    leaves,
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_error_is_that_of_torch_in_this_dtype(dtype, reduction):
    """Beside float64: at most twice torch's own error, of the loss and of each gradient."""
    h, m, b = leaves(HIDDEN, MATRIX, BIAS, dtype=dtype)
    exact = [t.detach().double().requires_grad_() for t in (h, m, b)]

    def run(loss, tensors):
        value = loss(*tensors)
        value = value.sum() if reduction == "none" else value
        return value, *torch.autograd.grad(value, tensors)

    options = {"reduction": reduction}
    truth = run(lambda h, m, b: F.cross_entropy(F.linear(h, m, b), LABELS, **options), exact)
    theirs = run(lambda h, m, b: F.cross_entropy(F.linear(h, m, b), LABELS, **options), (h, m, b))
    ours = run(
        lambda h, m, b: pt.linear_cross_entropy(
            h, m, LABELS, linear_bias=b, workspace=2000, **options
        ),
        (h, m, b),
    )
    for mine, other, right in zip(ours, theirs, truth, strict=True):
        margin = torch.finfo(dtype).eps * right.abs().max()
        error = (mine.double() - right).abs().max()
        assert error <= 2 * (other.double() - right).abs().max() + margin


@pytest.mark.parametrize("rows", [1, 255, 256, 257])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_pieces_of_half_precision_fit_and_change_only_rounding(rows, reduction, monkeypatch):
    """Each is a few ulp of bfloat16 away, in which a piece's part of the matrix's gradient is."""
    sizes, whole = [], Pieces.of

    def look(head, engine):
        sizes.append(whole(head, engine).size)
        return whole(head, engine)

    monkeypatch.setattr(Pieces, "of", look)
    torch.manual_seed(0)
    x, w = torch.randn(rows, 8), torch.randn(50, 8)
    y, of_row, answers = torch.arange(rows) % 50, (50 + 2 * 8) * 2, []
    for most in (1, 200, 256, 300, 5000):
        h, m = leaves(x, w, dtype=torch.bfloat16)
        loss = pt.linear_cross_entropy(h, m, y, reduction=reduction, workspace=most * of_row)
        answers.append((loss.detach(), *torch.autograd.grad(loss.sum(), (h, m))))
        assert sizes[-1] <= min(most, rows)
    for answer in answers[:-1]:
        for found, right in zip(answer, answers[-1], strict=True):
            eps = torch.finfo(right.dtype).eps
            assert (found.double() - right).abs().max() <= 4 * eps * right.abs().max()


def test_the_module_is_torchs_with_more():
    made = pt.LinearCrossEntropyLoss(D, C, bias=True, z_loss=0.1, weight=WEIGHT.float())
    if hasattr(torch.nn, "LinearCrossEntropyLoss"):
        theirs = torch.nn.LinearCrossEntropyLoss(D, C, bias=True, weight=WEIGHT.float())
        assert isinstance(made, torch.nn.LinearCrossEntropyLoss)
        made.load_state_dict(theirs.state_dict())
        torch.testing.assert_close(
            made(HIDDEN.float(), LABELS, z_loss=0.0), theirs(HIDDEN.float(), LABELS)
        )
    assert "z_loss=0.1" in repr(made)
    expected = pt.cross_entropy(made.linear(HIDDEN.float()), LABELS, WEIGHT.float(), z_loss=0.1)
    again = pickle.loads(pickle.dumps(made))
    torch.testing.assert_close(again(HIDDEN.float(), LABELS), expected)
    with pytest.raises(TypeError, match="unexpected keyword argument 'margin'"):
        pt.LinearCrossEntropyLoss(D, C, margin=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": C + 1}, "top_k must be at most"),
        ({"tokens": SOFT}, "tokens must be class indices"),
    ],
)
def test_what_log_probabilities_refuse(options, message):
    with pytest.raises(ValueError, match=message):
        pt.linear_logprobs(HIDDEN, MATRIX, options.pop("tokens", LABELS), **options)


PEAK = """
import sys, torch, plogq.torch as pt
from tests.memory import growth
def step(n):
    y = torch.arange(n) % 20000
    loss = pt.linear_cross_entropy(h[:n], m, y, reduction=sys.argv[1], workspace=8 << 20)
    loss.sum().backward()
h, m = torch.randn(1024, 16, requires_grad=True), torch.randn(20000, 16, requires_grad=True)
torch.set_num_threads(1)
step(64)
print(growth(lambda: step(1024)) / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("reduction", ["mean", pytest.param("none", marks=pytest.mark.slow)])
def test_logits_are_never_all_there(reduction):
    """They would be 78 MiB; the workspace is 8."""
    command = [sys.executable, "-c", PEAK, reduction]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(run.stdout) < 40
