"""A linear head by pieces of rows gives the loss and gradients of all of its logits."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MASK,
    MATRIX,
    OPTIONS,
    PLACES,
    SOFT,
    WEIGHT,
    C,
    D,
    R,
    leaves,
    of_all_logits,
    of_head,
    value_and_gradients,
)

LARGE = 1 << 20  # bytes of workspace that hold all rows, by whichever engine
ENGINE_NAMES = ["native", "blocks", "formula", "materialised"]


def taken_by(name, options):
    """Tell whether an engine takes these options."""
    if name == "native":
        bent = options.get("target") is SOFT or options.get("label_smoothing")
        return not (options.get("gamma") and bent)
    return True


@pytest.mark.parametrize("reduction", ["mean", pytest.param("sum", marks=pytest.mark.slow), "none"])
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_each_engine_gives_the_loss_of_all_logits(engine, name, reduction):
    options = dict(OPTIONS[name], reduction=reduction)
    if reduction != "mean" and "denominator" in options:
        pytest.skip("a denominator belongs to a mean")
    expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, BIAS), **options)
    if not taken_by(engine, options):
        with pt.engine(engine), pytest.raises(NotImplementedError, match="no focal loss"):
            of_head(HIDDEN, MATRIX, BIAS, **options)
        return
    for more in ({"workspace": 4000}, {"workspace": LARGE, "compact": False}):
        with pt.engine(engine), ENGINES.seen() as seen:
            tensors = leaves(HIDDEN, MATRIX, BIAS)
            found = value_and_gradients(of_head, tensors, **options, **more)
        assert seen == [engine]
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


# Of bfloat16 and float16, relative errors of the loss and of the gradients.
HALF = {torch.bfloat16: (2e-2, 5e-2), torch.float16: (2e-6, 2e-3), torch.float32: (2e-6, 2e-5)}


@pytest.mark.parametrize("matrix_is_float32", [False, True])
@pytest.mark.parametrize("name", ["plain", "all", "distributions", "softcap"])
@pytest.mark.parametrize("dtype", HALF)
def test_dtypes(dtype, name, matrix_is_float32):
    """A loss is float32, and a gradient has the dtype of what it is of."""
    of_loss, of_gradient = HALF[dtype]
    of_matrix = torch.float32 if matrix_is_float32 else dtype
    for reduction in ("mean", "none"):
        options = dict(OPTIONS[name], reduction=reduction)
        hidden, *rest = leaves(HIDDEN, dtype=dtype) + leaves(MATRIX, BIAS, dtype=of_matrix)
        tensors = [hidden, *rest]
        found = value_and_gradients(of_head, tensors, **options)
        rounded = leaves(*(t.detach() for t in tensors))
        if dtype == torch.bfloat16:  # the matrix is rounded to it for the products
            rounded = leaves(*(t.detach().bfloat16() for t in tensors))
        expected = value_and_gradients(of_all_logits, rounded, **options)
        assert found[0].dtype == torch.float32
        assert [g.dtype for g in found[1:]] == [t.dtype for t in tensors]
        torch.testing.assert_close(found[0].double(), expected[0], rtol=of_loss, atol=of_loss)
        for ours, right in zip(found[1:], expected[1:], strict=True):
            error = (ours.double() - right).abs().max()
            assert error <= of_gradient * right.abs().max()


def test_a_matrix_gradient_in_half_precision_is_summed_in_float32():
    """Of 4096 equal rows a sum in bfloat16 would stop growing at 256 times the first."""
    rows = 4096
    hidden = torch.ones(rows, 1, dtype=torch.bfloat16)
    matrix = torch.zeros(2, 1, dtype=torch.bfloat16, requires_grad=True)
    y = torch.zeros(rows, dtype=torch.long)
    pt.linear_cross_entropy(hidden, matrix, y, reduction="sum", workspace=200).backward()
    assert matrix.grad.flatten().tolist() == [-rows / 2, rows / 2]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("target", ["labels", "distributions"])
def test_torch_has_the_same_numbers(target, reduction):
    """Over all that torch's function has, on its plain way and on its own way by chunks."""
    y = LABELS if target == "labels" else SOFT
    chunked = torch.nn.LinearCrossEntropyOptions() if hasattr(
        torch.nn, "LinearCrossEntropyOptions") else None  # fmt: skip
    for weight in (None, WEIGHT):
        for smoothing in (0.0, 0.3):
            for bias in (None, BIAS):
                options = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}

                def theirs(hidden, matrix, bias=None, given=options, **more):
                    return F.linear_cross_entropy(
                        hidden, matrix, y, linear_bias=bias, **given, **more
                    )

                given = [HIDDEN, MATRIX] if bias is None else [HIDDEN, MATRIX, bias]
                expected = value_and_gradients(theirs, leaves(*given))
                found = value_and_gradients(of_head, leaves(*given), target=y, **options)
                torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)
                if chunked is not None and not smoothing and target == "labels":
                    by_chunks = value_and_gradients(theirs, leaves(*given), options=chunked)
                    torch.testing.assert_close(found, by_chunks, rtol=1e-9, atol=1e-11)


def test_torch_ignores_as_we_do():
    for index in (None, -100, 3):
        y = LABELS.clamp(min=0) if index == 3 else LABELS
        expected = F.linear_cross_entropy(HIDDEN, MATRIX, y, ignore_index=index)
        found = pt.linear_cross_entropy(HIDDEN, MATRIX, y, ignore_index=index)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["plain", "all", "distributions", "softcap, then temperature"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_statistics_of_the_same_pass(name, reduction):
    options = dict(OPTIONS[name], reduction=reduction, return_stats=True)
    expected, stats = of_all_logits(HIDDEN, MATRIX, BIAS, **options)
    for compact in (True, False):
        for engine in ("native", "formula", "materialised"):
            tensors = leaves(HIDDEN, MATRIX, BIAS)
            with pt.engine(engine), ENGINES.seen() as seen:
                found, ours = of_head(*tensors, workspace=4000, compact=compact, **options)
            assert seen == [engine]
            torch.testing.assert_close(found, expected)
            for mine, right in zip(ours, stats, strict=True):
                torch.testing.assert_close(mine, right)
                assert not mine.requires_grad


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_low_rank_adapter_that_is_not_formed(reduction):
    def ours(hidden, matrix, a, b):
        return of_head(hidden, matrix, lora=(a, b, 0.5), reduction=reduction)

    def formed(hidden, matrix, a, b):
        return of_all_logits(hidden, matrix + 0.5 * b @ a, reduction=reduction)

    found = value_and_gradients(ours, leaves(HIDDEN, MATRIX, *LOW[:2]))
    expected = value_and_gradients(formed, leaves(HIDDEN, MATRIX, *LOW[:2]))
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)
    adapter = pt.LowRank(*LOW)
    torch.testing.assert_close(
        of_head(HIDDEN, MATRIX, lora=adapter), of_head(HIDDEN, MATRIX, lora=LOW)
    )
    frozen, low = leaves(HIDDEN, MATRIX), leaves(*LOW[:2])
    of_head(frozen[0], MATRIX, lora=(*low, 0.5)).backward()
    assert frozen[0].grad is not None
    assert frozen[1].grad is None
    assert all(t.grad is not None for t in low)


@pytest.mark.parametrize("kind", ["labels", "distributions"])
def test_the_next_token(kind):
    """`shift` is the slice [:, :-1] of the rows against [:, 1:] of what is told of them."""
    n, t = 3, 12
    x = HIDDEN[: n * t].reshape(n, t, D)
    y, q = LABELS[: n * t].reshape(n, t), SOFT[: n * t].reshape(n, t, C)
    mask, places = MASK[: n * t].reshape(n, t), PLACES[: n * t].reshape(n, t)
    target = y if kind == "labels" else q
    for options in ({}, {"mask": mask, "row_weight": places}):
        a, b = leaves(x, MATRIX), leaves(x, MATRIX)
        found = of_head(*a, target=target, shift=True, **options)
        sliced = {k: v[:, 1:].flatten() for k, v in options.items()}
        rest = target[:, 1:].reshape(-1, *target.shape[2:])
        expected = of_all_logits(b[0][:, :-1].reshape(-1, D), b[1], target=rest, **sliced)
        torch.testing.assert_close(found, expected)
        found.backward(), expected.backward()
        for ours, right in zip(a, b, strict=True):
            torch.testing.assert_close(ours.grad, right.grad)
        assert not a[0].grad[:, -1].any()
    each = of_head(x, MATRIX, target=target, shift=True, reduction="none")
    assert each.shape == (n, t)
    assert not each[:, -1].any()
    one = of_head(x[0], MATRIX, target=target[0], shift=True, reduction="none")
    torch.testing.assert_close(one, each[0])
    with pytest.raises(ValueError, match="shift must be False"):
        of_head(x[0, 0], MATRIX, target=target[0, 0], shift=True)


@pytest.mark.parametrize("lead", [(), (1,), (R,), (4, 9), (2, 3, 6), (1, 1, 36)])
def test_rows_along_any_axes(lead):
    count = torch.Size(lead).numel()
    x, y, q = HIDDEN[:count], LABELS[1 : 1 + count], SOFT[:count]
    if len(y) < count:
        y = LABELS[:count]
    for target in (y, q):
        for reduction in ("mean", "none"):
            a, b = leaves(x, MATRIX), leaves(x, MATRIX)
            shaped = target.reshape((*lead, *target.shape[1:]))
            found = of_head(a[0].reshape((*lead, D)), a[1], target=shaped, reduction=reduction)
            expected = of_all_logits(*b, target=target, reduction=reduction)
            assert found.shape == (lead if reduction == "none" else ())
            torch.testing.assert_close(found.flatten(), expected.flatten())
            ours = torch.autograd.grad(found.sum(), a)
            torch.testing.assert_close(ours, torch.autograd.grad(expected.sum(), b))


def test_a_row_by_itself_and_all_at_once_differ_by_rounding():
    """From one row in the workspace to all: a few ulp of the largest number of each array."""
    torch.manual_seed(0)
    x, w = torch.randn(70, 32), torch.randn(300, 32) / 4
    y = torch.randint(300, (70,))
    y[::7] = -100
    of_row = (300 + 2 * 32) * 4
    answers = []
    for rows in (1, 3, 16, 64, 1000):
        tensors = leaves(x, w, dtype=torch.float32)
        answers.append(value_and_gradients(of_head, tensors, target=y, workspace=rows * of_row))
    with pytest.raises(ValueError, match=rf"hold one row of 300 classes, which takes {of_row}"):
        of_head(x, w, target=y, workspace=of_row - 1)
    eps = torch.finfo(torch.float32).eps
    for answer in answers[:-1]:
        for found, right in zip(answer, answers[-1], strict=True):
            assert (found - right).abs().max() <= 8 * eps * right.abs().max()


def test_the_memory_of_a_piece_is_bounded():
    """Workspace that holds five rows makes no piece of more; pieces are even."""
    from plogq.torch.engines.head_pieces import Pieces

    sizes, whole = [], Pieces.of

    def look(head, engine):
        sizes.append(whole(head, engine))
        return sizes[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pieces, "of", look)
        of_head(HIDDEN, MATRIX, workspace=5 * (C + 2 * D) * 8)
        of_head(HIDDEN, MATRIX, workspace=LARGE)
    few, all_rows = sizes
    assert few.size == 5
    assert few.number == int((LABELS != -100).sum()) == all_rows.number
    assert all_rows.size >= all_rows.number
