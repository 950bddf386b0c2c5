"""How often the ranks talk, and how many bytes: one call forward, one backward for a head."""

import torch
import torch.distributed as dist
from torch.utils._python_dispatch import TorchDispatchMode

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.parallel.processes import Cases

CASES = Cases()
R, C, D = 24, 11, 6
HEADING = 10 * 4  # bytes, beside the numbers of rows
X = torch.arange(R * C).reshape(R, C).cos()
HIDDEN, MATRIX = torch.arange(R * D).reshape(R, D).sin(), torch.arange(C * D).reshape(C, D).cos()
LABELS, SOFT = torch.arange(R) % C, X.softmax(1)


class Traffic(TorchDispatchMode):
    """Notes each collective call, and the bytes that this rank sends."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace in ("c10d", "_c10d_functional"):
            sent = args[1] if "allgather" in func.name() else args[0]
            sent = sent[0] if isinstance(sent, list) else sent
            self.calls.append((func.name().split("::")[1], sent.nbytes))
        return func(*args, **(kwargs or {}))


def calls_of(step):
    """Return the calls of a step forward and of its backward, once its ranks know each other."""
    step()
    with Traffic() as forward:
        loss = step()
    with Traffic() as backward:
        loss.backward()
    return forward.calls, backward.calls


def gathers(numbers, rows=R, size=4):
    return [("_allgather_base_", HEADING * size // 4 + numbers * rows * size)]


@CASES
def a_loss_of_logits_talks_once(here):
    own = here.part(X).requires_grad_()
    weight = here.part(torch.ones(C))
    for options, numbers in (
        ({}, 3),  # the maximum, the rest, and the label's logit
        ({"gamma": 2.0}, 3),
        ({"z_loss": 0.1}, 3),
        ({"weight": weight}, 4),
        ({"label_smoothing": 0.1}, 7),
        ({"label_smoothing": 0.1, "weight": weight}, 8),
        ({"return_stats": True}, 5),
        ({"target": here.part(SOFT)}, 7),
    ):
        options = {"target": LABELS, **options}

        def step(options=options):
            found = parallel.cross_entropy(own, **options)
            return found[0] if isinstance(found, tuple) else found

        assert calls_of(step) == (gathers(numbers), []), options

    def focal():
        return parallel.cross_entropy(own, LABELS, gamma=1.0, label_smoothing=0.1)

    assert calls_of(focal) == ([*gathers(7), ("_allgather_base_", 3 * 4 * R)], [])


@CASES
def a_head_talks_once_forward_and_once_backward(here):
    def step(*layer, **options):
        return lambda: parallel.linear_cross_entropy(*layer, LABELS, **options)

    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        hidden = HIDDEN.to(dtype, copy=True).requires_grad_()
        matrix = here.part(MATRIX, 0).to(dtype).requires_grad_()
        size = 8 if dtype == torch.float64 else 4
        for workspace in (1 << 20, 1000):
            found = calls_of(step(hidden, matrix, workspace=workspace))
            assert found == (gathers(3, size=size), [("allreduce_", R * D * size)])
        assert calls_of(step(hidden.detach(), matrix)) == (gathers(3, size=size), [])
    hidden, matrix = HIDDEN.clone().requires_grad_(), here.part(MATRIX, 0)
    found = calls_of(
        lambda: parallel.linear_logprobs(hidden, matrix, LABELS, top_k=2).logprobs.sum()
    )
    assert found == (gathers(3 + 1 + 4), [("allreduce_", R * D * 4)])


@CASES
def a_call_of_a_new_kind_talks_once_more(here):
    own = here.part(X)
    for rows in (5, 7):
        for meets in (True, False):
            with Traffic() as seen:
                parallel.cross_entropy(own[:rows], LABELS[:rows], temperature=1.25)
            meeting = [("_allgather_base_", 8 * 8)] if meets else []
            assert seen.calls == meeting + gathers(3, rows)
    parallel.cross_entropy(own, LABELS)
    for divisor in (3.0, 4.0):  # that of each batch is another
        with Traffic() as seen:
            parallel.cross_entropy(own, LABELS, denominator=divisor)
        assert seen.calls == gathers(3)


@CASES
def the_denominator_talks_once(here):
    with Traffic() as seen:
        parallel.global_denominator(LABELS)
    assert seen.calls == [("allreduce_", 8)]


@CASES
def nothing_of_the_process_changes(here):
    def state():
        return (
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state().sum().item(),
            torch.get_num_threads(), torch.is_autocast_enabled("cpu"),
            len(dist.distributed_c10d._world.pg_map), torch.are_deterministic_algorithms_enabled(),
            torch.nn.functional.cross_entropy, torch.Tensor.backward,
        )  # fmt: skip

    before = state()
    hidden, matrix = HIDDEN.clone().requires_grad_(), here.part(MATRIX, 0).requires_grad_()
    parallel.linear_cross_entropy(hidden, matrix, LABELS).backward()
    parallel.cross_entropy(here.part(X), LABELS)
    assert state() == before


@CASES
def unequal_ranks_have_the_mean_of_one_batch(here):
    """Data- and sequence-parallel: ranks with other rows, and one in which none counts."""
    labels = LABELS.clone()
    ends = [*[0, 1, R // 2, R - 2, R][: here.size], R]
    own = slice(ends[here.rank], ends[here.rank + 1])
    labels[: ends[1]] = -100  # nothing is left on rank 0
    weight, places = torch.linspace(0.5, 2, C), torch.linspace(0, 1, R)
    mask = torch.arange(R) % 5 != 2
    for options in (
        {}, {"weight": weight}, {"row_weight": places}, {"mask": mask},
        {"weight": weight, "row_weight": places, "mask": mask},
    ):  # fmt: skip
        whole = X.clone().requires_grad_()
        expected = pt.cross_entropy(whole, labels, **options)
        expected.backward()
        mine = {k: v if k == "weight" else v[own] for k, v in options.items()}
        for averaged in (False, True):
            part = X[own].clone().requires_grad_()
            divisor = parallel.global_denominator(labels[own], averaged=averaged, **mine)
            loss = pt.cross_entropy(part, labels[own], denominator=divisor, **mine)
            loss.backward()
            total = loss.detach().clone()
            dist.all_reduce(total)
            factor = here.size if averaged else 1
            torch.testing.assert_close(total, factor * expected.detach())
            torch.testing.assert_close(part.grad, factor * whole.grad[own])
    shifted = labels.reshape(2, -1)
    found = parallel.global_denominator(shifted, shift=True)
    assert found == here.size * (shifted[:, 1:] != -100).sum()
    assert parallel.global_denominator(torch.full((3,), -100)) == 0
