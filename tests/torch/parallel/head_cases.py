"""A linear layer in parts gives the loss and the gradients of one process that has it whole."""

import pytest
import torch
from torch.utils.checkpoint import checkpoint

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MASK,
    MATRIX,
    OPTIONS,
    SOFT,
    WEIGHT,
    C,
    leaves,
    value_and_gradients,
)
from tests.torch.parallel.processes import Cases

CASES = Cases()
LARGE, SMALL = 1 << 20, 3000  # bytes: all rows, so that their logits are kept, and a few
OWN = {
    "shift": {"shift": True, "row_weight": torch.linspace(0, 1, len(LABELS)).double()},
    "all rows": {"compact": False, "softcap": 2.0},
    "statistics": {"return_stats": True, "weight": WEIGHT},
    "nothing left": {"mask": MASK & False},
}


def whole(hidden, matrix, bias, target=LABELS, **options):
    return pt.linear_cross_entropy(hidden, matrix, target, linear_bias=bias, **options)


def in_parts(hidden, matrix, bias, target=LABELS, **options):
    return parallel.linear_cross_entropy(hidden, matrix, target, linear_bias=bias, **options)


def compare(here, options, dtype=torch.float64, tolerance=1e-11):
    """Compare loss, statistics and gradients; the bias may be left out."""
    tensors = leaves(HIDDEN, MATRIX, BIAS, dtype=dtype)
    own = [leaves(HIDDEN, dtype=dtype)[0], *(here.part(t.detach(), 0) for t in tensors[1:])]
    own = leaves(*own, dtype=dtype)
    figures = []

    def noted(loss):
        def of(*given, **options):
            found = loss(*given, **options)
            figures.append(found[1:])
            return found[0] if isinstance(found, tuple) else found

        return of

    own_options = dict(options)
    if options.get("target") is SOFT:
        own_options["target"] = here.part(SOFT)
    one = {k: v for k, v in options.items() if k != "workspace"}
    of_one, of_parts = (
        (noted(whole), noted(in_parts)) if "return_stats" in options else (whole, in_parts)
    )
    expected = value_and_gradients(of_one, tensors, **one)
    found = value_and_gradients(of_parts, own, **own_options)
    right = [*expected[:2], *(here.part(g, 0) for g in expected[2:])]
    torch.testing.assert_close(list(found), right, rtol=tolerance, atol=tolerance)
    if figures:
        for ours, theirs in zip(figures[1][0], figures[0][0], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


@CASES
def every_option_of_the_head(here):
    for workspace in (LARGE, SMALL):
        for options in [*OPTIONS.values(), *OWN.values()]:
            for reduction in ("mean", "none"):
                if reduction == "mean" or "denominator" not in options:
                    compare(here, {"workspace": workspace, "reduction": reduction, **options})


@CASES
def a_head_in_half_precision(here):
    """The loss is that of rounded products; the hidden gradient is added in float32."""
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        hidden, matrix = leaves(HIDDEN, here.part(MATRIX, 0), dtype=dtype)
        loss = parallel.linear_cross_entropy(hidden, matrix, LABELS)
        loss.backward()
        exact = leaves(HIDDEN.to(dtype), MATRIX.to(dtype))
        right = pt.linear_cross_entropy(*exact, LABELS)
        right.backward()
        assert loss.dtype == torch.float32
        eps = torch.finfo(dtype).eps
        torch.testing.assert_close(loss.double(), right.detach(), rtol=max(eps, 1e-6), atol=0)
        for ours, theirs in (
            (hidden.grad, exact[0].grad),
            (matrix.grad, here.part(exact[1].grad, 0)),
        ):
            assert ours.dtype == dtype
            if theirs.numel():
                error = (ours.double() - theirs).abs().max()
                assert error <= 8 * max(eps, 1e-7) * theirs.abs().max()


@CASES
def an_adapter_of_the_head(here):
    for workspace in (LARGE, SMALL):
        a, b, scale = LOW
        tensors, own = leaves(HIDDEN, MATRIX, a, b), leaves(HIDDEN, here.part(MATRIX, 0), a)
        own += leaves(here.part(b, 0))
        expected = pt.linear_cross_entropy(
            *tensors[:2], LABELS, lora=(tensors[2], tensors[3], scale), label_smoothing=0.1
        )
        found = parallel.linear_cross_entropy(
            *own[:2], LABELS, lora=(own[2], own[3], scale), label_smoothing=0.1, workspace=workspace
        )
        expected.backward()
        found.backward()
        torch.testing.assert_close(found, expected)
        for i, (ours, theirs) in enumerate(zip(own, tensors, strict=True)):
            right = here.part(theirs.grad, 0) if i in (1, 3) else theirs.grad
            torch.testing.assert_close(ours.grad, right)


@CASES
def padded_rows_of_the_matrix(here):
    for vocab in (C - 1, C - 6):
        hidden, matrix = leaves(HIDDEN, MATRIX[:vocab])
        labels = torch.where(LABELS == -100, -100, LABELS % vocab)
        expected = pt.linear_cross_entropy(hidden, matrix, labels, label_smoothing=0.1)
        expected.backward()
        broken = MATRIX.clone()
        broken[vocab:] = 1e30
        own = leaves(HIDDEN, here.part(broken, 0))
        found = parallel.linear_cross_entropy(*own, labels, label_smoothing=0.1, vocab=vocab)
        found.backward()
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(own[0].grad, hidden.grad)
        padded = torch.nn.functional.pad(matrix.grad, (0, 0, 0, C - vocab))
        torch.testing.assert_close(own[1].grad, here.part(padded, 0))


@CASES
def a_frozen_layer_or_a_frozen_model(here):
    for frozen in (0, 1):
        tensors, own = leaves(HIDDEN, MATRIX), leaves(HIDDEN, here.part(MATRIX, 0))
        for given in (tensors, own):
            given[frozen].requires_grad_(False)
        pt.linear_cross_entropy(*tensors, LABELS).backward()
        parallel.linear_cross_entropy(*own, LABELS).backward()
        learned = 1 - frozen
        right = tensors[learned].grad
        right = here.part(right, 0) if learned else right
        torch.testing.assert_close(own[learned].grad, right)
        assert own[frozen].grad is None


@CASES
def a_second_backward_computes_the_logits_again(here):
    own = leaves(HIDDEN, here.part(MATRIX, 0))
    loss = parallel.linear_cross_entropy(*own, LABELS, softcap=3.0)
    loss.backward(retain_graph=True)
    first = [t.grad.clone() for t in own]
    loss.backward()
    torch.testing.assert_close([t.grad for t in own], [2 * g for g in first])


@CASES
def logprobs_of_the_head(here):
    for workspace in (LARGE, SMALL):
        for options in ({}, {"temperature": 0.7, "softcap": 3.0}, {"mask": MASK, "shift": True}):
            tensors, own = leaves(HIDDEN, MATRIX), leaves(HIDDEN, here.part(MATRIX, 0))
            expected = pt.linear_logprobs(*tensors, LABELS, top_k=4, **options)
            found = parallel.linear_logprobs(*own, LABELS, top_k=4, workspace=workspace, **options)
            torch.testing.assert_close(tuple(found), tuple(expected))
            for each in (expected, found):
                (2 * each.logprobs.sum() - each.entropy.sum()).backward()
            torch.testing.assert_close(own[0].grad, tensors[0].grad)
            torch.testing.assert_close(own[1].grad, here.part(tensors[1].grad, 0))


@CASES
def autocast_is_heeded(here):
    own = leaves(HIDDEN.float(), here.part(MATRIX.float(), 0), dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = parallel.linear_cross_entropy(*own, LABELS)
    loss.backward()
    tensors = leaves(HIDDEN, MATRIX, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        right = pt.linear_cross_entropy(*tensors, LABELS)
    right.backward()
    torch.testing.assert_close(loss, right, rtol=1e-4, atol=0)
    torch.testing.assert_close(own[0].grad, tensors[0].grad, rtol=0.05, atol=1e-3)


@CASES
def without_gradients_and_under_a_checkpoint(here):
    matrix = here.part(MATRIX, 0)
    right = pt.linear_cross_entropy(HIDDEN, MATRIX, LABELS)
    for quiet in (torch.no_grad, torch.inference_mode):
        with quiet():
            found = parallel.linear_cross_entropy(HIDDEN, matrix, LABELS)
            logits = parallel.cross_entropy(HIDDEN @ matrix.T, LABELS)
        assert not found.requires_grad
        torch.testing.assert_close(torch.stack([found, logits]), right.expand(2))
    grads = []
    for again in (False, True):
        hidden, own = leaves(HIDDEN, matrix)

        def head(hidden, own=own):
            return parallel.linear_cross_entropy(hidden, own, LABELS)

        loss = checkpoint(head, hidden, use_reentrant=False) if again else head(hidden)
        loss.backward()
        grads.append((hidden.grad, own.grad))
    torch.testing.assert_close(grads[1], grads[0])


@CASES
def transforms_of_torch_func_end_in_torchs_error(here):
    matrix = here.part(MATRIX, 0)
    with pytest.raises(RuntimeError, match="setup_context"):
        torch.func.grad(lambda h: parallel.linear_cross_entropy(h, matrix, LABELS))(HIDDEN)
