"""The head beside `cross_entropy` of all its logits, in pieces that do not divide the rows."""

import logging
import pickle
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import plogq.torch as pt
from plogq.torch.engines import ENGINES

N, D, C = 37, 6, 19
torch.manual_seed(0)
H, M, B = (torch.randn(s, dtype=torch.float64) for s in ((N, D), (C, D), (C,)))
Y = torch.randint(C, (N,))
Y[::5] = -100
SOFT = torch.randn(N, C, dtype=torch.float64).softmax(1)
MASK = torch.arange(N) % 3 > 0
ROW_WEIGHT = torch.linspace(0, 2, N, dtype=torch.float64)
W = torch.linspace(0.5, 2, C, dtype=torch.float64)
CASES = {
    "labels": (Y, {}),
    "labels, bent": (Y, {"label_smoothing": 0.1, "z_loss": 0.01, "temperature": 1.5, "weight": W}),
    "a mask and weights of rows": (Y, {"mask": MASK, "row_weight": ROW_WEIGHT}),
    "a denominator": (Y, {"denominator": 3.5, "softcap": 2.0}),
    "focal": (Y, {"gamma": 1.5}),
    "smoothed focal": (Y, {"gamma": 1.5, "label_smoothing": 0.1, "softcap": 3.0}),
    "distributions": (SOFT, {"mask": MASK, "weight": W}),
    "statistics": (Y, {"return_stats": True, "temperature": 0.5}),
}
ENGINE = {"smoothed focal": "blocks"}
PIECES = [D * 400, 1 << 20]  # of a few rows, and of all


def leaves(dtype=torch.float64):
    return [t.to(dtype).requires_grad_() for t in (H.clone(), M.clone(), B.clone())]


def both(case, reduction, **head):
    """Values and gradients of the head, and of all logits."""
    target, options = CASES[case]
    if reduction != "mean":
        options = {name: v for name, v in options.items() if name != "denominator"}
    found = []
    for of_head in (True, False):
        h, m, b = leaves()
        if of_head:
            loss = pt.linear_cross_entropy(
                h, m, target, linear_bias=b, reduction=reduction, **options, **head
            )
        else:
            loss = pt.cross_entropy(h @ m.T + b, target, reduction=reduction, **options)
        loss, *stats = loss if isinstance(loss, tuple) else (loss,)
        upstream = torch.cos(torch.arange(float(loss.numel()))).reshape(loss.shape).double()
        found.append((loss.detach(), stats, torch.autograd.grad(loss, (h, m, b), upstream)))
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("workspace", PIECES)
def test_values_and_gradients(case, reduction, compact, workspace):
    with ENGINES.seen() as seen:
        found, expected = both(case, reduction, compact=compact, workspace=workspace)
    assert seen[0] == ENGINE.get(case, "native")
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("engine", ["formula", "materialised"])
def test_other_engines_give_the_same(case, engine):
    expected = both(case, "mean")[0]
    with pt.engine(engine):
        target, options = CASES[case]
        h, m, b = leaves()
        loss = pt.linear_cross_entropy(h, m, target, linear_bias=b, workspace=1 << 15, **options)
        loss, *stats = loss if isinstance(loss, tuple) else (loss,)
        upstream = torch.ones((), dtype=torch.float64)
        found = loss.detach(), stats, torch.autograd.grad(loss, (h, m, b), upstream)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_error_is_that_of_torch_in_this_dtype(dtype, reduction):
    """Beside float64: at most twice torch's own error, of the loss and of each gradient."""
    h, m, b = leaves(dtype)
    exact = [t.detach().double().requires_grad_() for t in (h, m, b)]

    def run(loss, tensors):
        value = loss(*tensors)
        value = value.sum() if reduction == "none" else value
        return value, *torch.autograd.grad(value, tensors)

    options = {"reduction": reduction}
    truth = run(lambda h, m, b: F.cross_entropy(F.linear(h, m, b), Y, **options), exact)
    theirs = run(lambda h, m, b: F.cross_entropy(F.linear(h, m, b), Y, **options), (h, m, b))
    ours = run(
        lambda h, m, b: pt.linear_cross_entropy(h, m, Y, linear_bias=b, workspace=2000, **options),
        (h, m, b),
    )
    for mine, other, right in zip(ours, theirs, truth, strict=True):
        margin = torch.finfo(dtype).eps * right.abs().max()
        error = (mine.double() - right).abs().max()
        assert error <= 2 * (other.double() - right).abs().max() + margin


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_workspace_changes_only_rounding(reduction):
    h, m, b = leaves(torch.float32)
    found = []
    for workspace in (300, 3000, 1 << 24):
        loss = pt.linear_cross_entropy(
            h, m, Y, linear_bias=b, workspace=workspace, reduction=reduction
        )
        found.append((loss, *torch.autograd.grad(loss.sum(), (h, m, b))))
    for few, all_rows in zip(found, found[-1:] * 3, strict=True):
        for a, e in zip(few, all_rows, strict=True):
            assert (a - e).abs().max() <= 8 * torch.finfo(torch.float32).eps * e.abs().max()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_torchs_numbers_over_its_options(reduction, bias, weighted, smoothing):
    if not hasattr(F, "linear_cross_entropy"):
        pytest.skip("this torch has no such function")
    for target in (Y, SOFT):
        options = {
            "linear_bias": B if bias else None, "weight": W if weighted else None,
            "reduction": reduction, "label_smoothing": smoothing,
        }  # fmt: skip
        torch.testing.assert_close(
            pt.linear_cross_entropy(H, M, target, **options, workspace=4000),
            F.linear_cross_entropy(H, M, target, **options),
        )


def test_axes_and_the_shift_to_the_next_token():
    h, y = H[:36].reshape(4, 9, D), Y[:36].reshape(4, 9)
    mask, weight = MASK[:36].reshape(4, 9), ROW_WEIGHT[:36].reshape(4, 9)
    found = pt.linear_cross_entropy(
        h, M, y, shift=True, reduction="none", mask=mask, row_weight=weight
    )
    expected = pt.cross_entropy(
        (h[:, :-1] @ M.T).movedim(-1, 1), y[:, 1:], reduction="none", mask=mask[:, 1:],
        row_weight=weight[:, 1:],
    )  # fmt: skip
    assert found.shape == (4, 9)
    torch.testing.assert_close(found[:, :-1], expected)
    assert not found[:, -1].any()
    soft = SOFT[:36].reshape(4, 9, C)
    torch.testing.assert_close(
        pt.linear_cross_entropy(h, M, soft, shift=True),
        pt.soft_cross_entropy((h[:, :-1] @ M.T).reshape(-1, C), soft[:, 1:].reshape(-1, C)),
    )
    one = pt.linear_cross_entropy(H[1], M, Y[1])
    torch.testing.assert_close(one, F.cross_entropy(M @ H[1], Y[1]))


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_an_adapter_that_is_never_formed(reduction):
    a = torch.randn(2, D, dtype=torch.float64, requires_grad=True)
    b = torch.randn(C, 2, dtype=torch.float64, requires_grad=True)
    h, m, _ = leaves()
    ours = pt.linear_cross_entropy(h, m, Y, lora=(a, b, 0.5), workspace=3000, reduction=reduction)
    theirs = pt.cross_entropy(h @ (m + 0.5 * b @ a).T, Y, reduction=reduction)
    torch.testing.assert_close(ours, theirs)
    of = [torch.autograd.grad(loss.sum(), (h, m, a, b)) for loss in (ours, theirs)]
    torch.testing.assert_close(*of)


@pytest.mark.parametrize("frozen", [(0,), (1,), (0, 1), (1, 2)])
def test_what_is_frozen_has_no_product(frozen, monkeypatch):
    from plogq.torch.engines import head_gradients

    made = []
    for name in ("hidden_gradient", "add_matrix_gradient"):
        whole = getattr(head_gradients, name)
        monkeypatch.setattr(
            head_gradients, name,
            lambda *a, name=name, whole=whole, **k: made.append(name) or whole(*a, **k),
        )  # fmt: skip
    h, m, b = leaves()
    given = [t.detach() if i in frozen else t for i, t in enumerate((h, m, b))]
    learned = [t for t in given if t.requires_grad]
    loss = pt.linear_cross_entropy(given[0], given[1], Y, linear_bias=given[2])
    expected = torch.autograd.grad(pt.cross_entropy(h @ m.T + b, Y), learned)
    torch.testing.assert_close(torch.autograd.grad(loss, learned), expected)
    kinds = {0: "hidden_gradient", 1: "add_matrix_gradient"}
    assert set(made) == {name for i, name in kinds.items() if i not in frozen}
    made.clear()
    with torch.no_grad():
        pt.linear_cross_entropy(h, m, Y)
    assert not made


def test_a_tied_head():
    m = M.clone().requires_grad_()
    ids = torch.arange(N) % C

    def of(loss):
        return torch.autograd.grad(loss(m[ids], m), m)[0]

    ours = of(lambda h, m: pt.linear_cross_entropy(h, m, Y, workspace=3000))
    torch.testing.assert_close(ours, of(lambda h, m: pt.cross_entropy(h @ m.T, Y)))


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("count", [0, 5])
def test_a_batch_of_nothing_has_loss_0_and_keeps_its_graph(count, compact):
    h = torch.full((count, D), torch.nan, requires_grad=True)
    m = M.float().requires_grad_()
    loss = pt.linear_cross_entropy(h, m, torch.full((count,), -100), compact=compact)
    loss.backward()
    assert loss.item() == 0
    assert not h.grad.any()
    assert not m.grad.any()


@pytest.mark.parametrize("compact", [True, False])
def test_rows_that_are_left_out_may_hold_anything_and_others_not(compact):
    h, m, _ = leaves()
    bad = h.detach().clone()
    bad[0] = torch.nan
    bad.requires_grad_()
    loss = pt.linear_cross_entropy(bad, m, Y, compact=compact)
    torch.testing.assert_close(loss, pt.linear_cross_entropy(h, m, Y))
    assert not torch.autograd.grad(loss, bad)[0][0].any()
    other = Y.clone()
    other[0] = 1
    assert pt.linear_cross_entropy(bad, m, other, compact=compact).isnan()


def test_masked_classes_and_huge_logits():
    b = B.clone()
    b[3] = -torch.inf
    y = Y.masked_fill(Y == 3, 4)
    h, m, _ = leaves()
    options = {"label_smoothing": 0.1, "softcap": 30.0}
    loss = pt.linear_cross_entropy(1e4 * h, m, y, linear_bias=b, **options)
    expected = pt.cross_entropy(1e4 * h @ m.T + b, y, **options)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(
        *(torch.autograd.grad(one, (h, m), retain_graph=True) for one in (loss, expected))
    )


def test_strides_and_mixed_dtypes():
    h = H.float()
    expected = pt.linear_cross_entropy(h, M.float(), Y)
    turned = h.T.contiguous().T, M.float().T.contiguous().T
    torch.testing.assert_close(pt.linear_cross_entropy(*turned, Y.int()), expected)
    m = M.float().requires_grad_()
    loss = pt.linear_cross_entropy(h.bfloat16(), m, Y)
    assert (loss.dtype, torch.autograd.grad(loss, m)[0].dtype) == (torch.float32,) * 2
    torch.testing.assert_close(loss, expected, rtol=1e-2, atol=1e-2)


def test_halves_are_summed_in_float32():
    """The gradient is a sum of 4,096 equal rows, which bfloat16 cannot add up one by one."""
    h = torch.ones(4096, 2, dtype=torch.bfloat16)
    m = torch.zeros(16, 2, requires_grad=True)
    loss = pt.linear_cross_entropy(
        h, m, torch.zeros(4096, dtype=torch.int64), reduction="sum", workspace=16 * 2 * 40
    )
    (gradient,) = torch.autograd.grad(loss, m)
    torch.testing.assert_close(
        gradient[0], torch.full((2,), 4096 * (1 / 16 - 1)), rtol=2**-8, atol=0
    )


def test_autocast():
    h, m, b = leaves(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        ours = pt.linear_cross_entropy(h, m, Y, linear_bias=b, workspace=2000)
        theirs = F.cross_entropy(F.linear(h, m, b), Y)
    torch.testing.assert_close(ours, theirs.float(), rtol=2e-2, atol=2e-2)
    of = [torch.autograd.grad(loss, (h, m, b)) for loss in (ours, theirs)]
    torch.testing.assert_close(*of, rtol=5e-2, atol=5e-3)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_second_derivatives_retained_graphs_and_batches(reduction, caplog):
    h, m, _ = leaves()
    with caplog.at_level(logging.INFO, "plogq.torch"):
        loss = pt.linear_cross_entropy(h, m, Y, reduction=reduction).sum()
        (ours,) = torch.autograd.grad(loss, h, create_graph=True)
    assert "all its logits are built" in caplog.text
    (theirs,) = torch.autograd.grad(
        pt.cross_entropy(h @ m.T, Y, reduction=reduction).sum(), h, create_graph=True
    )
    torch.testing.assert_close(
        *(torch.autograd.grad(g.square().sum(), (h, m)) for g in (ours, theirs))
    )
    loss = pt.linear_cross_entropy(h, m, Y, reduction=reduction).sum()
    first = torch.autograd.grad(3 * loss, (h, m), retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, (h, m)), first)
    rows = pt.linear_cross_entropy(h, m, Y, reduction="none")
    many = torch.autograd.grad(rows, m, torch.eye(N).double(), is_grads_batched=True)[0]
    torch.testing.assert_close(many.sum(0), torch.autograd.grad(
        pt.cross_entropy(h @ m.T, Y, reduction="sum"), m)[0])  # fmt: skip


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_transforms_and_checkpoints():
    def head(h, m):
        return pt.linear_cross_entropy(h, m, Y, z_loss=0.1)

    def logits(h, m):
        return pt.cross_entropy(h @ m.T, Y, z_loss=0.1)

    both_of = (0, 1)
    torch.testing.assert_close(
        torch.func.grad(head, both_of)(H, M), torch.func.grad(logits, both_of)(H, M)
    )
    torch.testing.assert_close(*(torch.func.jvp(f, (H, M), (H, M)) for f in (head, logits)))
    h, m, _ = leaves()
    loss = checkpoint(head, h, m, use_reentrant=False)
    torch.testing.assert_close(
        torch.autograd.grad(loss, (h, m)), torch.autograd.grad(logits(h, m), (h, m))
    )


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_it_is_the_same():
    torch.compiler.reset()

    def head(h, m):
        return pt.linear_cross_entropy(h, m, Y, label_smoothing=0.1)

    found = []
    for loss in (head, torch.compile(head, backend="aot_eager", fullgraph=True)):
        h, m, _ = leaves()
        found.append(torch.autograd.grad(loss(h, m), (h, m)))
    torch.testing.assert_close(*found)


def test_learned_weights_of_rows_and_of_classes():
    v, w = ROW_WEIGHT.clone().requires_grad_(), W.clone().requires_grad_()
    h, m, _ = leaves()
    for options in ({"row_weight": v}, {"weight": w}):
        with ENGINES.seen() as seen:
            ours = pt.linear_cross_entropy(h, m, Y, workspace=1 << 16, **options)
        assert seen == ["native" if "row_weight" in options else "materialised"]
        theirs = pt.cross_entropy(h @ m.T, Y, **options)
        of = [torch.autograd.grad(loss, (h, m, *options.values())) for loss in (ours, theirs)]
        torch.testing.assert_close(*of)


def test_a_changed_tensor_is_noticed():
    h, m, _ = leaves()
    hidden = h * 1
    loss = pt.linear_cross_entropy(hidden, m, Y)
    hidden.data.zero_()
    with torch.no_grad():
        hidden.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pt.linear_cross_entropy(H, M[:, :2], Y), r"weight must have shape \(C, 6\)"),
        (lambda: pt.linear_cross_entropy(H, M, Y[:3]), r"target must have shape \(37,\)"),
        (lambda: pt.linear_cross_entropy(H, M, SOFT[:, 1:]), r"target must have shape \(37,\)"),
        (lambda: pt.linear_cross_entropy(H, M, Y, linear_bias=B[1:]), r"bias must have shape"),
        (lambda: pt.linear_cross_entropy(H, M, Y + 50), "target must be a class index .* row 0"),
        (lambda: pt.linear_cross_entropy(H, M, 2 * SOFT), "target must sum to 1"),
        (lambda: pt.linear_cross_entropy(H, M, Y, workspace=99), "must hold one row of 19"),
        (lambda: pt.linear_cross_entropy(H, M, Y, workspace=0), "workspace must be at least 1"),
        (lambda: pt.linear_cross_entropy(H, M, Y, valid=3), "valid must be the number of rows"),
        (lambda: pt.linear_cross_entropy(H, M, Y, mask=MASK[:3]), "mask must have the shape"),
        (lambda: pt.linear_cross_entropy(H, M, SOFT, ignore_index=3), "must be left out with"),
        (lambda: pt.linear_cross_entropy(H[0], M, Y[0], shift=True), "shift must be False"),
        (lambda: pt.linear_logprobs(H, M, Y, top_k=C + 1), "top_k must be at most"),
        (lambda: pt.linear_logprobs(H, M, SOFT), "tokens must be class indices"),
    ],
)  # fmt: skip
def test_bad_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pt.linear_cross_entropy(H.float(), M, Y), "linear_weight must be of the input's"),
        (lambda: pt.linear_cross_entropy(H, M.float(), Y), "linear_weight must be torch.float64"),
        (lambda: pt.linear_cross_entropy(H.long(), M, Y), "input must be floating point"),
        (lambda: pt.linear_cross_entropy(H, M, Y, workspace=1.5), "workspace must be an integer"),
    ],
)
def test_bad_types(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_the_module_is_torchs_with_more():
    made = pt.LinearCrossEntropyLoss(D, C, bias=True, z_loss=0.1, weight=W.float())
    if hasattr(torch.nn, "LinearCrossEntropyLoss"):
        theirs = torch.nn.LinearCrossEntropyLoss(D, C, bias=True, weight=W.float())
        assert isinstance(made, torch.nn.LinearCrossEntropyLoss)
        made.load_state_dict(theirs.state_dict())
        torch.testing.assert_close(made(H.float(), Y, z_loss=0.0), theirs(H.float(), Y))
    assert "z_loss=0.1" in repr(made)
    expected = pt.cross_entropy(made.linear(H.float()), Y, W.float(), z_loss=0.1)
    again = pickle.loads(pickle.dumps(made))
    torch.testing.assert_close(again(H.float(), Y), expected)
    with pytest.raises(TypeError, match="unexpected keyword argument 'margin'"):
        pt.LinearCrossEntropyLoss(D, C, margin=1)


PEAK = """
import sys, torch, plogq.torch as pt
from tests.memory import growth
def step(n):
    y = torch.arange(n) % 20000
    loss = pt.linear_cross_entropy(h[:n], m, y, reduction=sys.argv[1], workspace=8 << 20)
    loss.sum().backward()
h, m = torch.randn(4096, 16, requires_grad=True), torch.randn(20000, 16, requires_grad=True)
torch.set_num_threads(1)
step(64)
print(growth(lambda: step(4096)) / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_logits_are_never_all_there(reduction):
    """They would be 313 MiB; the workspace is 8."""
    command = [sys.executable, "-c", PEAK, reduction]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(run.stdout) < 40
