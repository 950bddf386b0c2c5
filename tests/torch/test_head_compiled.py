"""A linear head inside torch.compile: in pieces, in one graph, with the numbers of outside."""

import logging
import subprocess
import sys

import pytest
import torch
from torch.utils.checkpoint import checkpoint

import plogq.torch as pt
from plogq.torch.engines import ENGINES, compiled_waiting, head_job
from tests.torch.head_cases import (
    BIAS,
    HIDDEN,
    LABELS,
    LOW,
    MASK,
    MATRIX,
    OPTIONS,
    PLACES,
    SMALL,
    SOFT,
    WEIGHT,
    C,
    R,
    leaves,
    of_all_logits,
    of_head,
    value_and_gradients,
)

# What torch.compile has to say of torch's own insides; it makes an instance of `autograd.Function`
# wherever it follows one.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]
slow = pytest.mark.slow
VALID = int((LABELS != -100).sum())


@pytest.fixture(autouse=True)
def _nothing_is_left():
    torch.compiler.reset()
    yield
    assert not compiled_waiting.how_many()


def compiled(loss, **how):
    return torch.compile(loss, fullgraph=True, **({"backend": "aot_eager"} | how))


def compiled_and_not(loss, tensors, **how):
    """Hold a compiled loss and its gradients to those of outside, bit for bit, and its engine."""
    with ENGINES.seen() as seen:
        found = value_and_gradients(compiled(loss, **how), tensors)
    assert set(seen) == {"compiled"}
    torch.testing.assert_close(found, value_and_gradients(loss, tensors), rtol=0, atol=0)


CASES = [
    pytest.param(name, reduction, marks=[] if (name, reduction) in FEW else slow)
    for FEW in [{("all", "mean"), ("plain", "none"), ("denominator in a tensor", "mean")}]
    for name in OPTIONS
    for reduction in ("mean", "sum", "none")
    if reduction == "mean" or not name.startswith("denominator")
]


@pytest.mark.parametrize(("name", "reduction"), CASES)
def test_every_option(name, reduction):
    options = dict(OPTIONS[name], reduction=reduction)
    if "gamma" in options:
        options["workspace"] = 40 * SMALL
    compiled_and_not(lambda *tensors: of_head(*tensors, **options), leaves(HIDDEN, MATRIX, BIAS))


@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=slow)])
def test_other_backends(backend):
    def loss(h, m, b):
        return of_head(h * 2, m, b, **OPTIONS["distributions with all"]) * 3

    compiled_and_not(loss, leaves(HIDDEN, MATRIX, BIAS), backend=backend)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_statistics_come_along(reduction):
    def loss(h, m):
        found, stats = of_head(h, m, return_stats=True, reduction=reduction)
        assert not stats.lse.requires_grad
        return found.sum(), stats

    (ours, stats), (expected, right) = (f(*leaves(HIDDEN, MATRIX)) for f in (compiled(loss), loss))
    torch.testing.assert_close((ours, *stats), (expected, *right), rtol=0, atol=0)
    compiled_and_not(lambda h, m: loss(h, m)[0], leaves(HIDDEN, MATRIX))


@pytest.mark.parametrize("frozen", [(), (0,), pytest.param((1, 2), marks=slow)])
def test_an_adapter_a_shift_and_what_is_frozen(frozen):
    a, b, scale = LOW
    tensors = [
        t.requires_grad_(i not in frozen) for i, t in enumerate(leaves(HIDDEN, MATRIX, a, b))
    ]

    def loss(h, m, a, b):
        h, y, mask = h[:36].reshape(4, 9, -1), LABELS[:36].reshape(4, 9), MASK[:36].reshape(4, 9)
        return pt.linear_cross_entropy(
            h, m, y, lora=(a, b, scale), shift=True, mask=mask, workspace=1000, z_loss=0.1
        )

    compiled_and_not(loss, tensors)


def test_learned_weights_of_rows():
    tensors = leaves(HIDDEN, MATRIX, PLACES)
    for reduction in ("mean", "none"):
        compiled_and_not(
            lambda h, m, v, r=reduction: of_head(h, m, row_weight=v, reduction=r), tensors
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_halves_and_the_scale_of_a_scaler(dtype):
    tensors = leaves(HIDDEN, MATRIX, BIAS, dtype=dtype)
    compiled_and_not(lambda *t: of_head(*t) * 2.0**14, tensors)


@pytest.mark.parametrize("reduction", ["mean", pytest.param("none", marks=slow)])
def test_autocast(reduction):
    def loss(h, m, b):
        with torch.autocast("cpu", torch.bfloat16):
            return of_head(h @ torch.eye(6), m, b, reduction=reduction)

    compiled_and_not(loss, leaves(HIDDEN, MATRIX, BIAS, dtype=torch.float32))


@pytest.mark.parametrize("top_k", [0, 3])
def test_log_probabilities(top_k):
    def found(h, m):
        return pt.linear_logprobs(h, m, LABELS, top_k=top_k, temperature=0.7, workspace=2000)

    def loss(h, m):
        ours = found(h, m)
        return ours.logprobs.sum() + 0.5 * ours.entropy.square().sum()

    tensors = leaves(HIDDEN, MATRIX)
    torch.testing.assert_close(
        tuple(compiled(found)(*tensors)), tuple(found(*tensors)), rtol=0, atol=0
    )
    compiled_and_not(loss, tensors)


def test_without_a_gradient():
    h, m = leaves(HIDDEN, MATRIX)
    with torch.no_grad():
        ours = compiled(of_head)(h, m)
    assert not ours.requires_grad
    torch.testing.assert_close(ours, of_head(h, m).detach(), rtol=0, atol=0)


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=slow)])
def test_batches_of_any_length_have_one_graph(backend):
    def loss(h, m, y):
        return of_head(h * 2, m, target=y, label_smoothing=0.1)

    ours = compiled(loss, dynamic=True, backend=backend)
    (m,) = leaves(MATRIX)
    for count in (5, 20, R):
        h, y = HIDDEN[:count], LABELS[:count]
        with torch._dynamo.config.patch(error_on_recompile=True):
            found = torch.autograd.grad(ours(h, m, y), m)
        torch.testing.assert_close(found, torch.autograd.grad(loss(h, m, y), m))


def test_a_batch_of_nothing():
    h, m = leaves(HIDDEN[:0], MATRIX)
    compiled_and_not(lambda h, m: of_head(h, m, target=LABELS[:0]), [h, m])
    ignored = torch.full_like(LABELS, -100)
    compiled_and_not(lambda h, m: of_head(h, m, target=ignored), leaves(HIDDEN, MATRIX))


def test_bad_targets_are_refused_when_the_graph_runs():
    ours = compiled(lambda h, m, y: pt.linear_cross_entropy(h, m, y))
    h, y = HIDDEN[:36].reshape(4, 9, -1), LABELS[:36].reshape(4, 9).clone()
    ours(h, MATRIX, y)
    y[1, 2] = C
    with pytest.raises(ValueError, match=r"target must be a class index .* row \(1, 2\)"):
        ours(h, MATRIX, y)
    with pytest.raises(ValueError, match="workspace must hold one row of 11 classes"):
        compiled(lambda h, m: of_head(h, m, workspace=9))(HIDDEN, MATRIX)


def test_a_length_that_is_known_of_the_labels_alone():
    h, y = HIDDEN.clone(), LABELS
    torch._dynamo.maybe_mark_dynamic(h, 0)
    torch.testing.assert_close(
        compiled(pt.linear_cross_entropy)(h, MATRIX, y), pt.linear_cross_entropy(h, MATRIX, y)
    )


def test_what_is_changed_before_the_backward_is_noticed():
    h, m = leaves(HIDDEN, MATRIX)
    loss = compiled(lambda h, m: of_head(h * 1, m))(h, m)
    with torch.no_grad():
        m.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    del loss


def test_two_losses_of_one_batch_and_none_used():
    compiled_and_not(lambda h, m: of_head(h, m) + of_head(h, m) * 2, leaves(HIDDEN, MATRIX))
    loss = compiled(of_head)(*leaves(HIDDEN, MATRIX))
    assert compiled_waiting.how_many() == 1
    del loss


@pytest.mark.parametrize("reduction", ["mean", pytest.param("none", marks=slow)])
def test_checkpoints_within_and_without(reduction):
    tensors = leaves(HIDDEN, MATRIX)

    def loss(h, m):
        return of_head(h.tanh(), m, reduction=reduction)

    def within(h, m):
        return checkpoint(loss, h, m, use_reentrant=False)

    whole = compiled(loss)
    expected = value_and_gradients(loss, tensors)
    for way in (
        compiled(within),
        lambda h, m: checkpoint(whole, h, m, use_reentrant=False),
    ):
        torch.testing.assert_close(value_and_gradients(way, tensors), expected)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_as_many_passes_as_outside(reduction, monkeypatch):
    passes, run = [], head_job.HeadJob.run
    monkeypatch.setattr(head_job.HeadJob, "run", lambda self, *a: passes.append(a) or run(self, *a))
    tensors = leaves(HIDDEN, MATRIX)
    counts = []
    for loss in (of_head, compiled(of_head)):
        passes.clear()
        value_and_gradients(loss, tensors, reduction=reduction)
        counts.append(len(passes))
    assert counts[0] == counts[1] == (1 if reduction == "mean" else 2)


def test_pieces_by_the_formula_have_gradients_below_autograd():
    """A focal loss of smoothed labels with statistics is the formula's, which autograd follows."""

    def loss(h, m):
        return of_head(
            h, m, gamma=2.0, label_smoothing=0.1, return_stats=True, workspace=40 * SMALL
        )[0]

    compiled_and_not(loss, leaves(HIDDEN, MATRIX))


@pytest.mark.parametrize("name", ["target", pytest.param("weight", marks=slow), "teacher"])
def test_where_all_logits_are_built_the_log_says_so(name, caplog):
    beside = {"target": SOFT, "weight": WEIGHT, "teacher": SOFT.log()}[name]

    def loss(h, m, beside):
        if name == "teacher":
            return pt.linear_distillation_loss(h, m, beside, LABELS, valid=VALID)
        return of_head(h, m, **{name: beside})

    tensors = leaves(HIDDEN, MATRIX) + (leaves(beside) if name != "teacher" else [beside])
    with caplog.at_level(logging.INFO, "plogq.torch"), ENGINES.seen() as seen:
        found = value_and_gradients(compiled(loss), tensors)
    assert seen == ["materialised"]
    assert "inside torch.compile, all logits of a head are built" in caplog.text
    torch.testing.assert_close(found, value_and_gradients(loss, tensors))


def test_transforms_in_a_graph_have_all_logits():
    with ENGINES.seen() as seen:
        found = compiled(torch.func.grad(of_head, (0, 1)))(HIDDEN, MATRIX)
    assert seen == ["materialised"]
    torch.testing.assert_close(found, torch.func.grad(of_all_logits, (0, 1))(HIDDEN, MATRIX))


@pytest.mark.parametrize("kind", ["loss", "statistics", "tokens"])
def test_the_operators_keep_their_promises(kind):
    h, m, b = (t.detach() for t in (HIDDEN, MATRIX, BIAS))
    whole = [SMALL, -100, 1, -1, 1, int(kind == "statistics"), 2 if kind == "tokens" else -1]
    reduction = "none" if kind == "tokens" else "mean"
    if kind == "tokens":
        whole[5] = 1
    others, numbers = [LABELS, None, MASK, None], [3.0, -1.0, 0.0, 0.0, 2.0, 0.0]
    settings = [R], reduction, whole, numbers, torch.float64
    # The token of what waits is another each time.
    tests = "test_schema", "test_autograd_registration", "test_faketensor"
    for wanted in ([False] * 4, [True, True, True, False]):
        question = [b, h, m, None], others, wanted, *settings
        torch.library.opcheck(torch.ops.plogq.head.default, question, test_utils=tests)
    upstream = torch.ones((2, R) if kind == "tokens" else (), dtype=torch.float64)
    given = compiled_waiting.nothing(), upstream, *question
    torch.library.opcheck(torch.ops.plogq.head_gradients.default, given)


PEAK = """
import sys, torch, plogq.torch as pt
from tests.memory import growth
def loss(h, m, y):
    return pt.linear_cross_entropy(h, m, y, reduction=sys.argv[1], workspace=8 << 20).sum()
step = torch.compile(loss, backend=sys.argv[2], fullgraph=True)
h, m = torch.randn(1024, 16, requires_grad=True), torch.randn(20000, 16, requires_grad=True)
y = torch.arange(1024) % 20000
torch.set_num_threads(1)
for count in (64, 128):
    step(h[:count].detach().requires_grad_(), m, y[:count]).backward()
print(growth(lambda: step(h, m, y).backward()) / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("reduction", ["mean", pytest.param("none", marks=slow)])
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=slow)])
def test_logits_are_never_all_there(reduction, backend):
    """They would be 78 MiB; the workspace is 8."""
    command = [sys.executable, "-c", PEAK, reduction, backend]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(run.stdout) < 40
