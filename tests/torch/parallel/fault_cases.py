"""What does not fit together is refused on every rank in one sentence, and the next call works."""

import datetime
import time

import pytest
import torch
import torch.distributed as dist

from plogq.torch import parallel
from tests.torch.parallel.processes import Cases

CASES = Cases()
R, C = 4, 11
X, Y = torch.arange(R * C).reshape(R, C).cos(), torch.tensor([0, 7, 10, -100])


def refused(here, sentence, own=None, error=ValueError, loss=parallel.cross_entropy, **options):
    """Call a loss that every rank refuses, and then one that all take."""
    options = {"target": Y, **options}
    with pytest.raises(error, match=sentence):
        loss(here.part(X) if own is None else own, options.pop("target"), **options)
    assert parallel.cross_entropy(here.part(X), Y).isfinite()


@CASES
def the_first_call_of_a_group_is_refused(here):
    """Before the ranks have agreed on anything, a rank that refuses its arguments tells others."""
    own = here.part(X)
    if here.rank == 0:
        refused(here, "label_smoothing must be in", label_smoothing=2.0)
    else:
        refused(here, "input must be taken by every rank; got an error on rank 0")
    refused(here, "input must be a torch.Tensor", own=own.tolist(), error=TypeError)


@CASES
def other_rows_on_a_rank(here):
    n = R - 1 if here.rank == 0 else R - 2
    sentence = f"input must have as many rows on every rank; got {R - 1} on rank 0, {R - 2} on rank"
    refused(here, sentence, own=here.part(X)[:n], target=Y[:n])


@CASES
def another_dtype_on_a_rank(here):
    own = here.part(X).to(torch.float32 if here.rank == 0 else torch.bfloat16)
    sentence = "one dtype on every rank; got torch.float32 on rank 0, torch.bfloat16 on rank 1"
    refused(here, sentence, own=own, z_loss=0.125)


@CASES
def other_options_on_a_rank(here):
    sentence = "options must be the same on every rank; got others on rank 1 than on rank 0"
    refused(here, sentence, temperature=2.0 + here.rank)


@CASES
def other_targets_on_a_rank(here):
    sentence = "target must be the same on every rank, .* got other targets.* on rank 1 than"
    refused(here, sentence, target=Y if here.rank == 0 else Y.flip(0))
    mask = torch.tensor([True, True, here.rank == 0, True])
    refused(here, sentence, mask=mask)
    refused(here, sentence, row_weight=torch.full((R,), 1.0 + here.rank))
    refused(here, sentence, denominator=3 + here.rank)


@CASES
def other_hidden_rows_on_a_rank(here):
    """A dropout of its own on each rank is refused, and what roundings change is not."""
    hidden, own = torch.arange(R * 64.0).reshape(R, 64).cos(), torch.ones(C, 64)[here.cut(C)]

    def loss(x, target, **options):
        return parallel.linear_cross_entropy(x, own, target, **options)

    generator = torch.Generator().manual_seed(here.rank)
    dropped = hidden * (torch.rand(hidden.shape, generator=generator) > 0.1) / 0.9
    sentence = "input must be the same on every rank, which has all hidden rows; got other rows on"
    refused(here, sentence, own=dropped, loss=loss)
    noise = 2**-8 * (torch.rand(hidden.shape, generator=generator) - 0.5)
    assert loss(hidden * (1 + noise), Y).isfinite()
    assert loss(hidden.masked_fill((Y == -100)[:, None], torch.nan), Y).isfinite()


@CASES
def labels_that_are_no_class(here):
    expected = r"target must be a class index in \[0, 11\) or the ignore_index -100; got 11 \(first"
    refused(here, expected + r" at row 2\)", target=torch.tensor([0, 1, 11, 2]))
    refused(here, r"got -1 \(first at row 1\)", target=torch.tensor([0, -1, 11, 2]))
    refused(here, r"in \[0, 10\)", target=Y, vocab=10)


@CASES
def a_vocabulary_that_does_not_add_up(here):
    refused(here, r"vocab must be at most the 11 columns of all ranks; got 12, beside ", vocab=12)
    refused(here, "vocab must be at least 1", vocab=0)


@CASES
def distributions_that_do_not_sum_to_one(here):
    t = torch.full((R, C), 1 / C)
    t[2, 10] = 0.5
    refused(
        here, r"target must sum to 1 over .* got 1.409.* \(first at row 2\)", target=here.part(t)
    )
    t[1, 0], t[1, 1] = -1 / C, 3 / C
    refused(here, r"none negative .* got -0.0909.* \(first at row 1\)", target=here.part(t))
    own = here.part(t)
    assert parallel.cross_entropy(here.part(X), own, validate=False).isfinite()
    if here.rank == 0:
        own[0, 0] = torch.nan
    refused(here, r"target must (be probabilities|sum)", target=own)


@CASES
def class_weights_of_another_shape_on_a_rank(here):
    weight = torch.ones(C if here.rank == 0 else 5 * C)
    if here.rank == 0:
        refused(here, "input must be taken by every rank; got an error on rank 1", weight=weight)
    else:
        refused(here, r"weight must have shape \(\d+,\) as this rank's part, or \(11,\)",
                weight=weight)  # fmt: skip


@CASES
def class_weights_that_may_be_a_part_or_all(here):
    """The last part has as many columns as there are classes, and only one of them is a class."""
    if here.size != 2:
        return
    own = X[:, :3] if here.rank == 0 else X[:, 3:7]
    if here.rank == 0:
        refused(here, "an error on rank 1", own=own, target=Y % 4, weight=torch.ones(4), vocab=4)
    else:
        sentence = r"weight must have shape \(7,\), as the columns of all ranks; got \(4,\), which"
        refused(here, sentence, own=own, target=Y % 4, weight=torch.ones(4), vocab=4)
    weight = torch.arange(1.0, 8.0)
    found = parallel.cross_entropy(own, Y % 4, weight, vocab=4)
    right = torch.nn.functional.cross_entropy(X[:, :4], Y % 4, weight[:4])
    torch.testing.assert_close(found, right)


@CASES
def a_workspace_that_holds_no_row_on_a_rank(here):
    hidden, matrix = torch.ones(R, 2), torch.ones(C, 2)
    own = here.part(matrix, 0)
    others = {"target": Y, "workspace": 1 if here.rank == here.size - 1 else 1 << 20}

    def loss(_, target, **options):
        return parallel.linear_cross_entropy(hidden, own, target, **options)

    if here.rank == here.size - 1:
        refused(here, "workspace must hold one row of", loss=loss, **others)
    else:
        refused(here, f"an error on rank {here.size - 1}", loss=loss, **others)


@CASES
def what_a_loss_over_ranks_has_not(here):
    own = here.part(X)
    sentence = "must be detached: over ranks it gets no gradient; got requires_grad=True"
    refused(here, f"weight {sentence}", weight=torch.ones(C).requires_grad_())
    soft = here.part(torch.full((R, C), 1 / C)).requires_grad_()
    if here.size == 2:  # of an empty part it is a copy
        refused(here, f"target {sentence}", target=soft)
    x = own.clone().requires_grad_()
    loss = parallel.cross_entropy(x, Y)
    if x.numel():  # an empty part's logits are a copy with a masked class
        with pytest.raises(ValueError, match="create_graph must be False for a loss over ranks"):
            torch.autograd.grad(loss, x, create_graph=True)
        with pytest.raises(ValueError, match="is_grads_batched must be False for a loss over"):
            torch.autograd.grad(loss, x, torch.ones(2), is_grads_batched=True)
    refused(here, "top_k must be at most the number of classes, 11", loss=parallel.logprobs,
            top_k=12)  # fmt: skip


@CASES
def a_group_that_is_none(here):
    with pytest.raises(TypeError, match="group must be a process group or a DeviceMesh"):
        parallel.cross_entropy(here.part(X), Y, group="tensor")
    alone = dist.new_group([0])
    if here.rank:
        with pytest.raises(ValueError, match="group must have this process among its ranks"):
            parallel.cross_entropy(X, Y, group=alone)
    else:
        right = torch.nn.functional.cross_entropy(X, Y)
        torch.testing.assert_close(parallel.cross_entropy(X, Y, group=alone), right)


@CASES
def a_slow_rank_is_waited_for_and_one_that_fails_ends_in_torchs_error(here):
    """Forward and backward: the group's own timeout ends the wait."""
    hidden, matrix = torch.ones(R, 2).requires_grad_(), torch.ones(C, 2)

    def step(group):
        return parallel.linear_cross_entropy(hidden, here.part(matrix, 0), Y, group=group)

    for backward in (False, True):
        group = dist.new_group(timeout=datetime.timedelta(seconds=1))
        if here.rank == 1:
            time.sleep(0.3)
        loss = step(group)
        begin = time.monotonic()
        if here.rank != 1:  # that one fails now, and calls no more
            with pytest.raises(RuntimeError, match=r"(?i)timed? ?out|closed"):
                loss.backward() if backward else step(group)
            assert time.monotonic() - begin < 10
    dist.barrier()


@CASES
def a_divisor_of_other_masks(here):
    """A mask of numbers would be multiplied, and weights of bools be none."""
    for name, dtype, kind in (("mask", torch.int64, "bool"), ("row_weight", torch.bool, "numbers")):
        given = {name: torch.ones(R, dtype=dtype)}
        with pytest.raises(TypeError, match=f"{name} must be {kind}; got {dtype}"):
            parallel.global_denominator(Y, **given)
    assert parallel.global_denominator(Y, mask=Y >= 0) == here.size * 3


@CASES
def an_argument_that_one_rank_alone_refuses_later(here):
    """It makes no call, since it cannot know how long the others' packets are: they time out."""
    group = dist.new_group(timeout=datetime.timedelta(seconds=1))
    parallel.cross_entropy(here.part(X), Y, group=group)
    if here.rank == 0:
        with pytest.raises(ValueError, match="label_smoothing must be in"):
            parallel.cross_entropy(here.part(X), Y, group=group, label_smoothing=2.0)
        time.sleep(1.5)
    else:
        with pytest.raises(RuntimeError, match=r"(?i)timed? ?out|closed"):
            parallel.cross_entropy(here.part(X), Y, group=group)
    dist.barrier()
