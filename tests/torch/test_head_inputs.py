"""A linear head's input at its edges: nothing to sum, infinities, strides, and what is refused."""

import pytest
import torch

import plogq.torch as pt
from plogq.kernels import memory
from plogq.torch.engines import ENGINES
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MASK,
    MATRIX,
    SOFT,
    WEIGHT,
    D,
    R,
    leaves,
    of_all_logits,
    of_head,
    value_and_gradients,
)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("engine", ["native", "blocks", "formula", "materialised"])
def test_nothing_left_is_loss_0_and_gradient_0(engine, compact, reduction):
    with pt.engine(engine):
        for rows in (0, 1, R):
            tensors = leaves(HIDDEN[:rows], MATRIX, BIAS)
            y = torch.full((rows,), -100)
            loss = pt.linear_cross_entropy(
                *tensors[:2], y, linear_bias=tensors[2], reduction=reduction, compact=compact
            )
            assert loss.requires_grad  # other ranks go backward, too
            assert not loss.any()
            gradients = torch.autograd.grad(loss.sum(), tensors)
            assert not any(g.any() for g in gradients)


def test_gradient_0_in_memory_that_is_not_new():
    matrix = torch.zeros(2048, 1024, requires_grad=True)
    hidden = torch.ones(2, 1024, requires_grad=True)
    assert matrix.nbytes >= memory.SMALLEST
    for reduction in ("mean", "none"):
        memory.empty((2048 * 1024,), "f4").fill(float("nan"))  # it dies, and is used again
        y = torch.full((2,), -100)
        loss = pt.linear_cross_entropy(hidden, matrix, y, reduction=reduction)
        gradients = torch.autograd.grad(loss.sum(), (hidden, matrix))
        assert not any(g.any() for g in gradients)
        memory.empty((2048 * 1024,), "f4").fill(float("nan"))
        loss = pt.linear_cross_entropy(hidden, matrix, torch.tensor([1, -100]), reduction=reduction)
        gradient = torch.autograd.grad(loss.sum(), matrix)[0]
        torch.testing.assert_close(gradient[1], torch.full((1024,), 1 / 2048 - 1))


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("engine", ["native", "blocks", "formula"])
def test_masked_classes_and_huge_logits(engine, reduction):
    """A bias of −inf masks a class; the gradient there is 0. Logits of 1e30 do not overflow."""
    bias = BIAS.clone()
    bias[3] = -torch.inf
    y = torch.where(LABELS == 3, 4, LABELS)
    with pt.engine(engine):
        for factor in (1.0, 1e30):
            given = {"target": y, "reduction": reduction}
            options = {"workspace": 10_000, **given}
            found = value_and_gradients(of_head, leaves(HIDDEN * factor, MATRIX, bias), **options)
            right = leaves(HIDDEN * factor, MATRIX, bias)
            expected = value_and_gradients(of_all_logits, right, **given)
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
            assert all(t.isfinite().all() for t in found)
            assert not found[3][3]
        impossible = of_head(HIDDEN, MATRIX, bias, reduction="none", workspace=10_000)
        torch.testing.assert_close(impossible.isinf(), LABELS == 3)
        weighted = leaves(HIDDEN, MATRIX, bias)
        row_weight = (LABELS != 3).double()
        found = of_head(*weighted, row_weight=row_weight, workspace=10_000)
        assert found.isfinite()
        found.backward()
        assert all(t.grad.isfinite().all() for t in weighted)


def test_a_row_that_is_nan_shows():
    hidden = HIDDEN.clone()
    hidden[7, 2] = torch.nan
    each = of_head(hidden, MATRIX, target=LABELS.clamp(min=0), reduction="none")
    assert each.isnan().nonzero().flatten().tolist() == [7]


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_strides(reduction):
    expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, BIAS), reduction=reduction)
    wide_rows, wide_matrix = HIDDEN.repeat_interleave(2, 1), MATRIX.repeat_interleave(3, 0)
    for hidden, matrix, bias in (
        (HIDDEN.T.contiguous().T, MATRIX.T.contiguous().T, BIAS.repeat_interleave(2)[::2]),
        (wide_rows[:, ::2], wide_matrix[::3], BIAS.flip(0).clone().flip(0)),
    ):
        tensors = [t.detach().requires_grad_() for t in (hidden, matrix, bias)]
        y = LABELS.repeat_interleave(2)[::2]
        found = value_and_gradients(of_head, tensors, target=y, reduction=reduction)
        torch.testing.assert_close(found, expected)
    row = HIDDEN[:1].expand(R, D).detach().requires_grad_()
    loss = of_head(row, MATRIX)
    torch.testing.assert_close(loss, of_all_logits(HIDDEN[:1].repeat(R, 1), MATRIX))


def test_one_class_and_no_width():
    one = of_head(HIDDEN, MATRIX[:1], target=torch.zeros(R, dtype=torch.long), reduction="none")
    assert not one.any()
    tensors = leaves(HIDDEN[:, :0], MATRIX[:, :0], BIAS)
    found = value_and_gradients(of_head, tensors)
    expected = value_and_gradients(of_all_logits, leaves(HIDDEN[:, :0], MATRIX[:, :0], BIAS))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.uint8])
def test_labels_of_any_integer_dtype(dtype):
    y = LABELS.clamp(min=0).to(dtype)
    torch.testing.assert_close(
        of_head(HIDDEN, MATRIX, target=y), of_all_logits(HIDDEN, MATRIX, target=y.long())
    )


def test_without_memory_the_shapes_are_given():
    with ENGINES.seen() as seen:
        found = pt.linear_cross_entropy(HIDDEN.to("meta"), MATRIX.to("meta"), LABELS.to("meta"))
    assert (found.shape, found.device.type, seen) == ((), "meta", ["materialised"])


def test_the_count_of_rows_when_it_is_known():
    count = int(((LABELS != -100) & MASK).sum())
    expected = of_head(HIDDEN, MATRIX, mask=MASK)
    assert torch.equal(of_head(HIDDEN, MATRIX, mask=MASK, valid=count), expected)
    with pytest.raises(ValueError, match=f"valid must be the number of rows .*, {count}; got 5"):
        of_head(HIDDEN, MATRIX, mask=MASK, valid=5)
    with pytest.raises(ValueError, match=f"valid must be the number of rows .*, {R}; got 5"):
        of_head(HIDDEN, MATRIX, target=SOFT, valid=5)


bad = LABELS.clone()
bad[13] = 11
REFUSED = {
    "input of no axis": (lambda: of_head(HIDDEN[0, 0], MATRIX), r"input must have shape \(…, D\)"),
    "input of integers": (lambda: of_head(LABELS[:, None], MATRIX), "input must be floating point"),
    "no tensor": (lambda: of_head(HIDDEN.numpy(), MATRIX), "input must be a torch.Tensor"),
    "width": (lambda: of_head(HIDDEN, MATRIX[:, :2]), rf"linear_weight .* shape \(C, {D}\); got"),
    "no classes": (lambda: of_head(HIDDEN, MATRIX[:0]), r"linear_weight must have shape \(C, 6\)"),
    "bias": (lambda: of_head(HIDDEN, MATRIX, BIAS[:3]), r"linear_bias must have shape \(11,\)"),
    "labels": (lambda: of_head(HIDDEN, MATRIX, target=LABELS[:5]), r"or \(37, 11\); got \(5,\)"),
    "labels of more axes": (
        lambda: of_head(HIDDEN, MATRIX, target=LABELS[:, None]), r"target .* shape \(37,\) as"),
    "float labels": (
        lambda: of_head(HIDDEN, MATRIX, target=LABELS.double()), "target must be integers"),
    "distributions": (
        lambda: of_head(HIDDEN, MATRIX, target=SOFT[:, :4]), r"or \(37, 11\); got \(37, 4\)"),
    "integer distributions": (
        lambda: of_head(HIDDEN, MATRIX, target=SOFT.long()), "target must be floating point"),
    "an ignored class of distributions": (
        lambda: of_head(HIDDEN, MATRIX, target=SOFT, ignore_index=3), "ignore_index must be left"),
    "a class that is not": (
        lambda: of_head(HIDDEN, MATRIX, target=bad), r"target .* \[0, 11\) .*; got 11 .*row 13"),
    "a class that is not, and has no weight": (
        lambda: of_head(HIDDEN, MATRIX, target=bad, weight=WEIGHT), r"target .*; got 11 .*row 13"),
    "no distribution": (
        lambda: of_head(HIDDEN, MATRIX, target=SOFT * 2), "target must sum to 1.*row 0"),
    "dtype of the matrix": (
        lambda: of_head(HIDDEN.float(), MATRIX), "linear_weight must be of the input's dtype"),
    "float32 beside float64": (
        lambda: of_head(HIDDEN, MATRIX.float()), "linear_weight must be torch.float64"),
    "half beside float32": (
        lambda: of_head(HIDDEN.float(), MATRIX.half()), "linear_weight must be of the input's"),
    "weight": (lambda: of_head(HIDDEN, MATRIX, weight=WEIGHT[:2]), r"weight must have shape"),
    "mask": (lambda: of_head(HIDDEN, MATRIX, mask=MASK[:2]), "mask must have the shape"),
    "reduction": (lambda: of_head(HIDDEN, MATRIX, reduction="batchmean"), "reduction must be"),
    "a denominator of a sum": (
        lambda: of_head(HIDDEN, MATRIX, reduction="sum", denominator=2), "denominator must be"),
    "workspace": (lambda: of_head(HIDDEN, MATRIX, workspace=10), "workspace must hold one row"),
    "workspace of a kind": (lambda: of_head(HIDDEN, MATRIX, workspace="1M"), "workspace must"),
    "workspace of nothing": (lambda: of_head(HIDDEN, MATRIX, workspace=0), "workspace must"),
    "softcap": (lambda: of_head(HIDDEN, MATRIX, softcap=0.0), "softcap must"),
    "an option nobody knows": (lambda: of_head(HIDDEN, MATRIX, gama=1), "unexpected keyword"),
    "A": (lambda: of_head(HIDDEN, MATRIX, lora=(MATRIX[:, :2], BIAS[:, None], 1.0)),
          r"lora must have A of shape \(r, 6\)"),
    "B": (lambda: of_head(HIDDEN, MATRIX, lora=(MATRIX[:2], MATRIX, 1.0)),
          r"lora must have B of shape \(11, 2\)"),
    "an adapter of two": (lambda: of_head(HIDDEN, MATRIX, lora=LOW[:2]), r"be \(A, B, scale\)"),
    "sparse": (lambda: of_head(HIDDEN, MATRIX.to_sparse()), "linear_weight must be dense"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, message = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=message):
        call()
