"""On another device than the CPU a head reads no value unless it must, so that nothing waits.

There is no other device here: CPU tensors are taken for those of one, and a mode stands between the
head and torch that fails at whatever reads a value or makes a shape of one.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import plogq.torch as pt
from plogq.torch import autograd, checks, reductions
from plogq.torch import head as door
from plogq.torch.engines import head_job, head_logprobs, head_pieces
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MASK,
    MATRIX,
    OPTIONS,
    WEIGHT,
    C,
    leaves,
    of_head,
    value_and_gradients,
)

VALID = int((LABELS != -100).sum())
WAITS = {
    "_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2",
    "unique_dim", "repeat_interleave", "bincount", "_to_copy to the CPU",
}  # fmt: skip
ROOM = 1 << 14


class NoWait(TorchDispatchMode):
    """Fails where a value is read, unless it is one of so many that may be."""

    def __init__(self, allowed=0):
        super().__init__()
        self.allowed, self.read = allowed, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name().split("::")[1].split(".")[0]
        by_mask = name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            t is not None and t.dtype == torch.bool for t in args[1]
        )
        if name in WAITS or by_mask:
            self.read += 1
            assert self.read <= self.allowed, f"{name} waits for a value"
        return function(*args, **kwargs or {})


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """Take the tensors for those of another device, where pieces are computed by the formula."""
    for module in (checks, door, reductions, head_job, head_logprobs, autograd, head_pieces):
        monkeypatch.setattr(module, "on_host", lambda x: False)
    monkeypatch.setattr(autograd, "in_dispatch_mode", lambda: False)
    with pt.engine("formula"):
        yield


def elsewhere_and_here(monkeypatch, mode, tensors=None, **options):
    tensors = tensors or leaves(HIDDEN, MATRIX, BIAS)
    options["workspace"] = ROOM
    with mode:
        found = value_and_gradients(of_head, tensors, **options)
    options.pop("valid", None), options.pop("compact", None)
    monkeypatch.undo()
    torch.testing.assert_close(found, value_and_gradients(of_head, tensors, **options))


@pytest.mark.parametrize("reduction", ["mean", pytest.param("none", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_is_read_without_compaction(name, reduction, monkeypatch):
    options = dict(OPTIONS[name], reduction=reduction)
    if reduction == "none":
        options.pop("denominator", None)
    elsewhere_and_here(monkeypatch, NoWait(), compact=False, **options)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("valid", [VALID, VALID + 2, len(LABELS)])
def test_nothing_is_read_when_the_number_of_rows_is_given(valid, reduction, monkeypatch):
    """A number that is too large costs products, and changes nothing."""
    broken = torch.where((LABELS != -100)[:, None], HIDDEN, torch.nan)
    tensors = leaves(broken, MATRIX, BIAS)
    elsewhere_and_here(monkeypatch, NoWait(), tensors, valid=valid, reduction=reduction)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_number_that_is_too_small_gives_nan(reduction):
    tensors = leaves(HIDDEN, MATRIX)
    with NoWait():
        loss = of_head(*tensors, valid=VALID - 1, reduction=reduction, workspace=ROOM)
        gradients = torch.autograd.grad(loss.sum(), tensors)
    assert loss.isnan().all()
    assert all(g.isnan().any() for g in gradients)


@pytest.mark.parametrize("name", ["plain", "mask", "all", "distributions with all"])
def test_else_one_copy_tells_how_many_rows_count(name, monkeypatch):
    elsewhere_and_here(monkeypatch, mode := NoWait(2), **OPTIONS[name])
    assert mode.read <= 2  # both numbers of one copy


def test_statistics_adapters_and_shifts(monkeypatch):
    a, b, scale = LOW

    def step():
        h, m, low_a, low_b = leaves(HIDDEN[:36], MATRIX, a, b)
        loss, stats = pt.linear_cross_entropy(
            h.reshape(4, 9, -1), m, LABELS[:36].reshape(4, 9), shift=True, compact=False,
            mask=MASK[:36].reshape(4, 9), lora=(low_a, low_b, scale), return_stats=True,
            workspace=ROOM,
        )  # fmt: skip
        return loss, *stats, *torch.autograd.grad(loss, (h, m, low_a, low_b))

    with NoWait():
        found = step()
    monkeypatch.undo()
    torch.testing.assert_close(found, step())


def test_log_probabilities(monkeypatch):
    def step():
        h, m = leaves(HIDDEN, MATRIX)
        found = pt.linear_logprobs(h, m, LABELS, top_k=2, compact=False, workspace=ROOM)
        loss = found.logprobs.sum() + found.entropy.square().sum()
        return tuple(found), torch.autograd.grad(loss, (h, m))

    with NoWait():
        found = step()
    monkeypatch.undo()
    with pt.engine("native"):
        torch.testing.assert_close(found, step())


@pytest.mark.parametrize("given", [{"compact": False}, {"valid": VALID}, {"valid": VALID + 2}])
@pytest.mark.parametrize("beta", [0.0, 0.4, pytest.param(1.0, marks=pytest.mark.slow)])
def test_distillation(beta, given, monkeypatch):
    def step(**given):
        h, m = leaves(HIDDEN, MATRIX)
        loss = pt.linear_distillation_loss(
            h, m, HIDDEN.sin(), LABELS, teacher_weight=MATRIX.cos(), teacher_softcap=3.0, beta=beta,
            workspace=ROOM, **given,
        )  # fmt: skip
        return loss, *torch.autograd.grad(loss, (h, m))

    with NoWait():
        found = step(**given)
    monkeypatch.undo()
    torch.testing.assert_close(found, step())


def test_a_read_is_noticed():
    with NoWait(), pytest.raises(AssertionError, match="_local_scalar_dense waits for a value"):
        torch.ones(()).item()
    with NoWait(), pytest.raises(AssertionError, match="index waits for a value"):
        HIDDEN[MASK]


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_bad_targets_become_nan_or_are_refused(reduction, weight):
    labels = LABELS.clone()
    labels[3] = C
    h, m = leaves(HIDDEN, MATRIX)
    options = {"target": labels, "reduction": reduction, "weight": weight, "workspace": ROOM}
    for given in ({"compact": False}, {"valid": VALID}):
        with NoWait():
            loss = of_head(h, m, **options, **given)
            of_hidden, of_matrix = torch.autograd.grad(loss.sum(), (h, m))
        assert loss.isnan().all() if reduction == "mean" else loss.isnan().nonzero().item() == 3
        assert of_hidden[3].isnan().all()
        assert of_matrix.isnan().any()
    with pytest.raises(ValueError, match=r"target must be a class index .* row 3"):
        of_head(h, m, **options)
    soft = torch.full((len(HIDDEN), C), 0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match="target must sum to 1"):
        of_head(h, m, target=soft, workspace=ROOM)
    assert of_head(h, m, target=soft, workspace=ROOM, compact=False).isnan()


def test_the_default_workspace_is_that_of_the_device(monkeypatch):
    """Here 64 MiB, and elsewhere 1 GiB; what is given holds everywhere."""
    given = []
    fit = head_pieces.rows_that_fit
    monkeypatch.setattr(
        head_pieces, "rows_that_fit", lambda head, e: given.append(head.workspace) or fit(head, e)
    )

    def step():
        h, m = leaves(HIDDEN, MATRIX)
        pt.linear_cross_entropy(h, m, LABELS)
        pt.linear_logprobs(h, m, LABELS)
        pt.linear_distillation_loss(h, m, HIDDEN, teacher_weight=MATRIX)
        of_head(h, m, workspace=ROOM)

    step()
    monkeypatch.setattr(door, "on_host", lambda x: True)
    step()
    assert given == [1 << 30] * 3 + [ROOM] + [64 << 20] * 3 + [ROOM]
    for wrong in (0, 1.5, "1 GiB"):
        with pytest.raises((ValueError, TypeError), match="workspace must be"):
            of_head(*leaves(HIDDEN, MATRIX), workspace=wrong)
