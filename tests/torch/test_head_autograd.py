"""What autograd, torch.func and torch.compile ask of a linear head."""

import pytest
import torch
from torch.utils.checkpoint import checkpoint

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
    UPSTREAM,
    WEIGHT,
    leaves,
    of_all_logits,
    of_head,
    value_and_gradients,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "none"])


@pytest.mark.parametrize("wanted", range(1, 8))
@REDUCTIONS
def test_what_is_frozen_has_no_product(wanted, reduction, monkeypatch):
    """Only products whose gradient is wanted are computed, and the others' numbers stay."""
    from plogq.torch.engines import head_gradients

    products = []
    for name in ("hidden_gradient", "add_matrix_gradient"):
        whole = getattr(head_gradients, name)

        def counted(*args, _name=name, _whole=whole, **options):
            products.append(_name)
            return _whole(*args, **options)

        monkeypatch.setattr(head_gradients, name, counted)
    tensors = leaves(HIDDEN, MATRIX, BIAS)
    for bit, t in enumerate(tensors):
        t.requires_grad_(bool(wanted >> bit & 1))
    copies = [t.detach().clone().requires_grad_(t.requires_grad) for t in tensors]
    found = value_and_gradients(of_head, tensors, reduction=reduction)
    expected = value_and_gradients(of_all_logits, copies, reduction=reduction)
    torch.testing.assert_close(found, expected)
    assert ("hidden_gradient" in products) == bool(wanted & 1)
    assert ("add_matrix_gradient" in products) == bool(wanted & 2)


def test_tied_heads_add_their_gradients():
    """One matrix embeds and is the head, and another head of it follows."""
    a, b = leaves(MATRIX)[0], leaves(MATRIX)[0]
    y = torch.arange(8) % 3
    of_head(a[y] * 2, a, target=y).mul(of_head(HIDDEN, a)).backward()
    of_all_logits(b[y] * 2, b, target=y).mul(of_all_logits(HIDDEN, b)).backward()
    torch.testing.assert_close(a.grad, b.grad)


@REDUCTIONS
@pytest.mark.parametrize("name", ["plain", "all", "distributions with all"])
def test_second_derivatives_are_those_of_all_logits(name, reduction):
    options = dict(OPTIONS[name], reduction=reduction)

    def second(loss):
        tensors = leaves(HIDDEN, MATRIX, BIAS)
        each = loss(*tensors, **options)
        upstream = leaves(UPSTREAM if reduction == "none" else torch.tensor(3.0))[0]
        first = torch.autograd.grad(each, tensors, upstream, create_graph=True)
        return torch.autograd.grad(sum((g**2).sum() for g in first), [*tensors, upstream])

    with ENGINES.seen() as seen:
        found = second(of_head)
    assert seen == ["native"]
    torch.testing.assert_close(found, second(of_all_logits), rtol=1e-9, atol=1e-11)


@REDUCTIONS
def test_a_graph_that_is_kept_gives_its_gradient_again(reduction):
    tensors = leaves(HIDDEN, MATRIX, BIAS)
    loss = of_head(*tensors, reduction=reduction).sum()
    first = torch.autograd.grad(loss, tensors, torch.tensor(2.0).double(), retain_graph=True)
    kept = [g.clone() for g in first]
    again = torch.autograd.grad(loss, tensors)
    torch.testing.assert_close([2 * g for g in again], kept)
    torch.testing.assert_close(list(first), kept)  # not overwritten


def test_gradients_accumulate_over_batches():
    whole, parts = leaves(HIDDEN, MATRIX), leaves(HIDDEN, MATRIX)
    of_head(*whole, reduction="sum").backward()
    for at in (slice(0, 20), slice(20, None)):
        of_head(parts[0][at], parts[1], target=LABELS[at], reduction="sum").backward()
    torch.testing.assert_close([t.grad for t in parts], [t.grad for t in whole])


@REDUCTIONS
def test_many_upstreams_at_once(reduction):
    def loss(of, hidden):
        return of(hidden, MATRIX, reduction=reduction)

    for vectorize in (False, True):
        found = torch.autograd.functional.jacobian(
            lambda h: loss(of_head, h), HIDDEN, vectorize=vectorize
        )
        expected = torch.autograd.functional.jacobian(lambda h: loss(of_all_logits, h), HIDDEN)
        torch.testing.assert_close(found, expected)


@REDUCTIONS
def test_many_upstreams_by_vmap_of_a_backward(reduction):
    gradients = []
    for loss in (of_head, of_all_logits):
        hidden, matrix = leaves(HIDDEN, MATRIX)
        found = loss(hidden, matrix, reduction=reduction)
        upstreams = torch.stack([torch.ones_like(found), torch.full_like(found, -2.0)])

        def of(upstream, found=found, tensors=(hidden, matrix)):
            return torch.autograd.grad(found, tensors, upstream, retain_graph=True)

        gradients.append(torch.func.vmap(of)(upstreams))
    torch.testing.assert_close(*gradients)


def test_what_is_changed_before_the_backward_is_noticed():
    hidden, matrix = leaves(HIDDEN, MATRIX)
    loss = of_head(hidden * 1, matrix)
    with torch.no_grad():
        matrix.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@REDUCTIONS
@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoint(reduction, reentrant):
    a, b = leaves(HIDDEN, MATRIX), leaves(HIDDEN, MATRIX)

    def loss(hidden, matrix):
        return of_head(hidden.tanh(), matrix, reduction=reduction).sum()

    checkpoint(loss, *a, use_reentrant=reentrant).backward()
    loss(*b).backward()
    torch.testing.assert_close([t.grad for t in a], [t.grad for t in b])


@REDUCTIONS
@pytest.mark.parametrize(
    "name", ["all", *(pytest.param(n, marks=pytest.mark.slow) for n in ("plain", "distributions"))]
)
def test_compiled_whole(name, reduction):
    options = dict(OPTIONS[name], reduction=reduction)
    if name == "all":
        options["weight"] = WEIGHT.double()

    def loss(hidden, matrix, bias):
        return of_head(hidden, matrix, bias, **options)

    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = value_and_gradients(compiled, leaves(HIDDEN, MATRIX, BIAS))
    expected = value_and_gradients(loss, leaves(HIDDEN, MATRIX, BIAS))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["plain", "all", "distributions with all"])
def test_transforms(name):
    options = OPTIONS[name]

    def ours(hidden, matrix):
        return of_head(hidden, matrix, **options)

    def theirs(hidden, matrix):
        return of_all_logits(hidden, matrix, **options)

    matrices = torch.stack([MATRIX, MATRIX.flip(0)])
    for transform, given in (
        (lambda f: torch.func.grad(f, (0, 1)), MATRIX),
        (lambda f: torch.func.jacrev(f, (0, 1)), MATRIX),
        (lambda f: torch.func.vmap(f, (None, 0)), matrices),
        (lambda f: torch.func.vmap(torch.func.grad(f), (None, 0)), matrices),
    ):
        found, expected = transform(ours)(HIDDEN, given), transform(theirs)(HIDDEN, given)
        torch.testing.assert_close(found, expected)


def test_forward_mode():
    tangents = HIDDEN.cos(), MATRIX.sin()
    found = torch.func.jvp(of_head, (HIDDEN, MATRIX), tangents)
    torch.testing.assert_close(found, torch.func.jvp(of_all_logits, (HIDDEN, MATRIX), tangents))


@REDUCTIONS
def test_autocast_computes_the_products_in_its_dtype(reduction):
    hidden, matrix, bias = leaves(HIDDEN, MATRIX, BIAS, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = of_head(hidden, matrix, bias, reduction=reduction)
    assert loss.dtype == torch.float32
    loss.sum().backward()  # outside of it, as one does
    assert {t.grad.dtype for t in (hidden, matrix, bias)} == {torch.float32}
    rounded = leaves(*(t.detach().bfloat16() for t in (hidden, matrix, bias)), dtype=torch.bfloat16)
    plain = of_head(*rounded, reduction=reduction)
    torch.testing.assert_close(loss, plain)
    plain.sum().backward()
    for t, half in zip((hidden, matrix, bias), rounded, strict=True):
        assert (t.grad - half.grad).abs().max() <= 1e-2 * t.grad.abs().max()


@REDUCTIONS
def test_without_a_gradient(reduction):
    tensors = leaves(HIDDEN, MATRIX)
    expected = of_head(*tensors, reduction=reduction)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = of_head(*tensors, reduction=reduction)
        assert not found.requires_grad
        assert torch.equal(found, expected.detach())
    assert not of_head(HIDDEN, MATRIX).requires_grad


@REDUCTIONS
def test_learned_weights_and_targets(reduction):
    """Weights of rows are learned by pieces; targets and weights of classes with all logits."""
    for name, value, engine in (
        ("row_weight", PLACES, "native"),
        ("weight", WEIGHT, "materialised"),
        ("target", SOFT, "materialised"),
    ):
        gradients = []
        for loss in (of_head, of_all_logits):
            hidden, matrix, learned = leaves(HIDDEN, MATRIX, value)
            with ENGINES.seen() as seen:
                found = loss(hidden, matrix, **{name: learned, "reduction": reduction})
            if loss is of_head:
                assert seen == [engine]
            found.sum().backward()
            gradients.append([t.grad for t in (hidden, matrix, learned)])
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("way", ["eager", "second", "compiled", "func"])
@pytest.mark.parametrize("compact", [True, False])
def test_rows_that_are_left_out_may_hold_anything(way, compact):
    broken = torch.where(MASK[:, None], HIDDEN, torch.nan)
    broken[1] = torch.inf
    y = torch.where(MASK, LABELS, 2**40)

    def loss(hidden, matrix):
        return of_head(hidden, matrix, target=y, mask=MASK, compact=compact)

    hidden, matrix = leaves(broken, MATRIX)
    if way == "func":
        gradients = torch.func.grad(loss, (0, 1))(broken, MATRIX)
    elif way == "compiled":
        torch.compiler.reset()
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        gradients = torch.autograd.grad(compiled(hidden, matrix), (hidden, matrix))
    else:
        graph = way == "second"
        gradients = torch.autograd.grad(loss(hidden, matrix), (hidden, matrix), create_graph=graph)
    a, b = leaves(HIDDEN, MATRIX)
    expected = torch.autograd.grad(of_all_logits(a, b, mask=MASK), (a, b))
    torch.testing.assert_close([g.detach() for g in gradients], list(expected))
    assert not gradients[0][~MASK].any()


def test_an_adapter_has_no_part_of_rows_that_are_left_out():
    broken = torch.where(MASK[:, None], HIDDEN, torch.nan)
    found, expected = leaves(*LOW[:2]), leaves(*LOW[:2])
    of_head(broken, MATRIX, mask=MASK, lora=(*found, 0.5)).backward()
    of_all_logits(HIDDEN, MATRIX, mask=MASK, lora=(*expected, 0.5)).backward()
    torch.testing.assert_close([t.grad for t in found], [t.grad for t in expected])
