"""A linear head whose rows the Triton kernel computes, in pieces, in its workspace."""

import pytest
import torch

import plogq.torch as pt
from plogq.torch import autograd, checks, reductions
from plogq.torch import head as door
from plogq.torch.engines import ENGINES, head_job, head_logprobs, head_pieces, head_products
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MATRIX,
    OPTIONS,
    C,
    leaves,
    of_all_logits,
    of_head,
    value_and_gradients,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")
TAKEN = [name for name in OPTIONS if name != "focal loss of distributions"]


def in_float32(options, device):
    return {
        k: v.to(device, torch.float32 if v.is_floating_point() else v.dtype)
        if isinstance(v, torch.Tensor)
        else v
        for k, v in options.items()
    }


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", TAKEN)
def test_pieces_give_the_loss_of_all_logits(triton_engine, name, reduction):
    options = dict(OPTIONS[name], reduction=reduction)
    if reduction != "mean" and "denominator" in options:
        pytest.skip("a denominator belongs to a mean")
    with pt.engine("formula"):
        expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, BIAS), **options)
    tensors = leaves(HIDDEN, MATRIX, BIAS, dtype=torch.float32)
    options = in_float32({"target": LABELS} | options, triton_engine)
    tensors = [t.detach().to(triton_engine).requires_grad_() for t in tensors]
    with ENGINES.seen() as seen:
        found = value_and_gradients(of_head, tensors, **options, workspace=1500)
    assert seen == ["triton"]
    for ours, exactly in zip(found, expected, strict=True):
        torch.testing.assert_close(
            ours.detach().cpu().double(), exactly.detach(), rtol=1e-5, atol=2e-6
        )


def test_half_precision_and_an_adapter(triton_engine):
    """The gradient of a bfloat16 matrix is summed in float32, by as many pieces as there are."""
    hidden, matrix = leaves(HIDDEN, MATRIX, dtype=torch.bfloat16)
    a, b, scale = LOW
    lora = a.bfloat16().to(triton_engine), b.bfloat16().to(triton_engine), scale
    truth = leaves(hidden.double(), matrix.double())
    low = tuple(t.cpu().double() for t in lora[:2])
    with pt.engine("formula"):
        whole = pt.linear_cross_entropy(*truth, LABELS, lora=(*low, scale), softcap=5.0)
    whole.backward()
    hidden, matrix = (t.detach().to(triton_engine).requires_grad_() for t in (hidden, matrix))
    loss = pt.linear_cross_entropy(
        hidden, matrix, LABELS.to(triton_engine), lora=lora, softcap=5.0, workspace=600
    )
    loss.backward()
    torch.testing.assert_close(loss.detach().cpu().double(), whole.detach(), rtol=1e-2, atol=1e-2)
    for ours, exactly in zip((hidden, matrix), truth, strict=True):
        torch.testing.assert_close(ours.grad.cpu().double(), exactly.grad, rtol=3e-2, atol=3e-3)


def test_log_probabilities_and_entropies(triton_engine):
    hidden, matrix = leaves(HIDDEN, MATRIX, dtype=torch.float32)
    hidden, matrix = (t.detach().to(triton_engine) for t in (hidden, matrix))
    with ENGINES.seen() as seen:
        found = pt.linear_logprobs(hidden, matrix, LABELS.to(triton_engine), top_k=3)
    assert seen == ["triton"]
    with pt.engine("formula"):
        logits = HIDDEN @ MATRIX.T
    log_p = logits.log_softmax(1)
    kept = LABELS >= 0
    expected = log_p[kept].gather(1, LABELS[kept, None])[:, 0]
    torch.testing.assert_close(found.logprobs.cpu()[kept].double(), expected, rtol=1e-5, atol=1e-6)
    entropy = -(log_p.exp() * log_p).sum(1)[kept]
    torch.testing.assert_close(found.entropy.cpu()[kept].double(), entropy, rtol=1e-5, atol=1e-6)


def test_rows_of_logits_begin_where_vectors_do(triton_engine, monkeypatch):
    """With memory as on a GPU, results are the same, and the budget holds one row or is refused."""
    rooms = []
    plain = head_products.logits_room

    def padded(*args):
        rooms.append(plain(*args, apart=16))
        return rooms[-1]

    monkeypatch.setattr("plogq.torch.engines.head_job.logits_room", padded)
    tensors = [t.to(triton_engine) for t in leaves(HIDDEN, MATRIX, dtype=torch.float32)]
    target = LABELS.to(triton_engine)
    found = value_and_gradients(
        of_head, [t.detach().requires_grad_() for t in tensors], target=target
    )
    assert rooms[0].stride() == (16, 1)
    assert rooms[0].shape[1] == C
    monkeypatch.undo()
    with pt.engine("formula"):
        expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX), target=LABELS)
    torch.testing.assert_close(found[0].cpu().double(), expected[0], rtol=1e-5, atol=1e-6)


GIVEN = [{}, {"compact": False}, {"valid": int((LABELS != -100).sum())}, {"valid": len(LABELS)}]


@pytest.fixture
def elsewhere(monkeypatch):
    """Let the head take interpreted tensors for those of another device."""
    for module in (checks, door, reductions, head_job, head_logprobs, autograd, head_pieces):
        monkeypatch.setattr(module, "on_host", lambda x: False)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", ["plain", "all"])
def test_rows_that_count_are_found_on_the_device(triton_engine, name, given):
    """Rows that are left out hold NaN, which reaches nothing."""
    options = dict(OPTIONS[name])
    left_out = (LABELS == -100) | ~options.get("mask", LABELS == LABELS)
    if "valid" in given:
        given = {"valid": min(given["valid"], max(1, int((~left_out).sum())))}
    with pt.engine("formula"):
        expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, BIAS), **options)
    broken = HIDDEN.masked_fill(left_out[:, None], torch.nan)
    tensors = [
        t.detach().to(triton_engine).requires_grad_()
        for t in leaves(broken, MATRIX, BIAS, dtype=torch.float32)
    ]
    options = in_float32({"target": LABELS} | options, triton_engine)
    with ENGINES.seen() as seen:
        found = value_and_gradients(of_head, tensors, **options, **given, workspace=1500)
    assert seen == ["triton"]
    for ours, exactly in zip(found, expected, strict=True):
        torch.testing.assert_close(
            ours.detach().cpu().double(), exactly.detach(), rtol=1e-5, atol=2e-6
        )


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_label_that_is_no_class_is_refused_or_makes_its_row_nan(triton_engine, reduction):
    labels = LABELS.clone()
    labels[3] = C
    labels = labels.to(triton_engine)
    tensors = [
        t.detach().to(triton_engine).requires_grad_()
        for t in leaves(HIDDEN, MATRIX, dtype=torch.float32)
    ]
    for given in GIVEN[1:3]:
        loss = of_head(*tensors, target=labels, reduction=reduction, **given)
        of_hidden, of_matrix = torch.autograd.grad(loss.sum(), tensors)
        assert loss.isnan().all() if reduction == "mean" else loss.isnan().nonzero().item() == 3
        assert of_hidden[3].isnan().all()
        assert of_matrix.isnan().any()
    with pytest.raises(ValueError, match=r"target must be a class index .* row 3"):
        of_head(*tensors, target=labels, reduction=reduction)


def test_a_head_with_a_teacher_is_the_formulas(triton_engine):
    hidden, matrix = (t.to(triton_engine) for t in leaves(HIDDEN, MATRIX, dtype=torch.float32))
    with pytest.raises(NotImplementedError, match="triton: the kernel has no distillation loss"):
        pt.linear_distillation_loss(hidden, matrix, hidden, teacher_weight=matrix)


def test_a_budget_that_is_too_small(triton_engine):
    hidden, matrix = (t.to(triton_engine) for t in leaves(HIDDEN, MATRIX, dtype=torch.float32))
    with pytest.raises(ValueError, match=r"workspace must hold one row of 11 classes, .* 92 bytes"):
        pt.linear_cross_entropy(hidden, matrix, LABELS.to(triton_engine), workspace=91, softcap=3.0)


def test_a_product_that_sums_in_float32_is_tried_first():
    """The CPU has none, and says so; then blocks of the product are cast."""
    assert not head_products.sums_in_float32(torch.device("cpu"), torch.bfloat16)
