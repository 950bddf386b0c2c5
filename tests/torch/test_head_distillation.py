"""Distillation from hidden rows beside that of all logits, and beside plain torch in float64."""

import math
import subprocess
import sys

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
    PLACES,
    SOFT,
    C,
    D,
    R,
    leaves,
    value_and_gradients,
)

WIDER = D + 3  # the teacher's
_GENERATOR = torch.Generator().manual_seed(5)
THEIRS, OF_THEIRS, BIAS_OF_THEIRS = (
    torch.randn(shape, dtype=torch.float64, generator=_GENERATOR)
    for shape in ((R, WIDER), (C, WIDER), (C,))
)
TEACHER = THEIRS @ OF_THEIRS.T + BIAS_OF_THEIRS
SMALL = 6000  # bytes of workspace: a few rows
BETAS = [0.0, 1.0, 0.5, 0.1]
LAYER = {"teacher_weight": OF_THEIRS, "teacher_bias": BIAS_OF_THEIRS}
CASES = {
    "alone": {},
    "labels": {"target": LABELS, "alpha": 0.3},
    "labels that only leave rows out": {"target": LABELS, "alpha": 1.0},
    "distributions": {"target": SOFT, "alpha": 0.7, "mask": MASK},
    "mask and weights of rows": {"mask": MASK, "row_weight": PLACES, "temperature": 0.7},
    "a denominator": {"target": LABELS, "denominator": 7.5},
    "all": {
        "target": LABELS, "alpha": 0.4, "temperature": 3.0, "softcap": 4.0, "z_loss": 0.01,
        "mask": MASK, "row_weight": PLACES, "denominator": torch.tensor(9),
    },
}  # fmt: skip


def of_head(hidden, matrix, bias=None, *, teacher=THEIRS, target=None, **options):
    """Return the loss by pieces, beside a teacher whose layer makes its logits."""
    options = {"workspace": SMALL, **(LAYER if teacher is THEIRS else {}), **options}
    return pt.linear_distillation_loss(hidden, matrix, teacher, target, linear_bias=bias, **options)


def of_all_logits(hidden, matrix, bias=None, *, teacher=TEACHER, target=None, **options):
    """Return the loss of all logits by the formula."""
    z = hidden @ matrix.T if bias is None else hidden @ matrix.T + bias
    with pt.engine("formula"):
        return pt.distillation_loss(z, teacher, target, **options)


def textbook(z, t, beta, temperature):
    """Return the generalised JS divergence of each row from logarithms of probabilities."""
    q, p = (x.div(temperature).log_softmax(-1) for x in (z, t))

    def kl(a, b):
        return (a.exp() * (a - b)).sum(-1)

    if beta in (0, 1):
        return kl(q, p) if beta else kl(p, q)
    m = torch.logaddexp(p + math.log(beta), q + math.log1p(-beta))
    return beta * kl(p, m) + (1 - beta) * kl(q, m)


@pytest.mark.matrix
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("engine", ["blocks", "formula", "materialised"])
def test_each_engine_gives_the_loss_of_all_logits(engine, name, beta, reduction):
    options = dict(CASES[name], beta=beta, reduction=reduction)
    if reduction == "none":
        options.pop("denominator", None)
    expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, BIAS), **options)
    for teacher in (THEIRS, TEACHER):
        for compact in (True, False):
            more = {"teacher": teacher, "compact": compact, "workspace": 40_000}
            with pt.engine(engine), ENGINES.seen() as seen:
                tensors = leaves(HIDDEN, MATRIX, BIAS)
                found = value_and_gradients(of_head, tensors, **options, **more)
            assert seen == [engine]
            torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_plain_torch_gives_the_same(beta, reduction):
    """α T² D + (1 − α) cross-entropy, over the rows whose label counts."""

    def plain(hidden, matrix, bias):
        z = hidden @ matrix.T + bias
        hard = F.cross_entropy(z, LABELS, reduction="none")
        each = 0.3 * 1.5**2 * textbook(z, TEACHER, beta, 1.5) + 0.7 * hard
        each = torch.where(LABELS != -100, each, 0.0)
        return each if reduction == "none" else each.sum() / (LABELS != -100).sum()

    options = {"beta": beta, "alpha": 0.3, "temperature": 1.5, "reduction": reduction}
    with ENGINES.seen() as seen:
        tensors = leaves(HIDDEN, MATRIX, BIAS)
        found = value_and_gradients(of_head, tensors, target=LABELS, **options)
    assert seen == ["blocks"]
    expected = value_and_gradients(plain, leaves(HIDDEN, MATRIX, BIAS))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("beta", BETAS)
def test_trl_gives_the_same(beta):
    """Its loss has neither T² nor labels, which only leave rows out there."""
    trainer = pytest.importorskip("trl.experimental.gkd").GKDTrainer
    z = HIDDEN @ MATRIX.T
    theirs = trainer.generalized_jsd_loss(z, TEACHER, LABELS, beta=beta, temperature=0.9)
    options = {"beta": beta, "temperature": 0.9, "target": LABELS, "alpha": 1}
    torch.testing.assert_close(of_head(HIDDEN, MATRIX, **options) / 0.9**2, theirs)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_error_is_that_of_torch_in_this_dtype(dtype, beta):
    """Beside float64: at most twice plain torch's own error, of the loss and of each gradient."""
    student, teacher = leaves(HIDDEN, MATRIX, dtype=dtype), (THEIRS.to(dtype), OF_THEIRS.to(dtype))
    exact = leaves(*(t.detach() for t in student))

    def plain(hidden, matrix, theirs=teacher):
        z, t = hidden @ matrix.T, theirs[0] @ theirs[1].T
        return 4 * textbook(z, t, beta, 2.0).mean()

    def ours(hidden, matrix):
        return of_head(hidden, matrix, teacher=teacher[0], teacher_weight=teacher[1], beta=beta)

    truth = value_and_gradients(lambda *t: plain(*t, [x.double() for x in teacher]), exact)
    theirs, found = value_and_gradients(plain, student), value_and_gradients(ours, student)
    assert [t.dtype for t in found] == [torch.float32, dtype, dtype]
    for mine, other, right in zip(found, theirs, truth, strict=True):
        error, bound = ((t.double() - right).abs().max() for t in (mine, other))
        assert error <= 2 * bound + torch.finfo(dtype).eps * right.abs().max()


@pytest.mark.parametrize("beta", BETAS)
def test_a_student_near_its_teacher_keeps_its_digits(beta):
    """In float32 the losses, of 1e-9, have six digits; plain torch has none left."""
    far = 1e-4 * torch.randn(R, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    z, t = ((h @ MATRIX.T).float() for h in (HIDDEN + far, HIDDEN))
    options = {"beta": beta, "temperature": 1.0, "reduction": "none"}
    eye = torch.eye(C)
    found = of_head(z, eye, teacher=t, **options)
    expected = of_all_logits(z.double(), eye.double(), teacher=t.double(), **options)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)
    assert not of_head(t, eye, teacher=t, **options).any()


@pytest.mark.parametrize("beta", BETAS)
def test_the_workspace_changes_only_rounding(beta):
    found = []
    for workspace in (900, 9000, 1 << 24):
        tensors = leaves(HIDDEN, MATRIX, BIAS, dtype=torch.float32)
        teacher = {name: t.float() for name, t in LAYER.items()}
        options = {"target": LABELS, "beta": beta, "workspace": workspace, **teacher}
        found.append(value_and_gradients(of_head, tensors, teacher=THEIRS.float(), **options))
    for few in found[:-1]:
        for a, e in zip(few, found[-1], strict=True):
            assert (a - e).abs().max() <= 8 * torch.finfo(torch.float32).eps * e.abs().max()


def test_a_workspace_holds_the_teacher_too():
    of_row = (C + 2 * D) * 8
    for options, more in (
        ({"teacher": TEACHER}, C * 8),
        ({}, (C + WIDER) * 8),
        ({"teacher_softcap": 3.0}, (4 * C + WIDER) * 8),
    ):
        of_head(HIDDEN, MATRIX, **options, workspace=of_row + more)
        with pytest.raises(ValueError, match=rf"which takes {of_row + more} bytes"):
            of_head(HIDDEN, MATRIX, **options, workspace=of_row + more - 1)


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("engine", ["blocks", "formula", "materialised"])
def test_nothing_left_is_loss_0_and_gradient_0(engine, compact):
    for rows in (0, 1, R):
        for target, mask in ((torch.full((rows,), -100), None), (None, torch.zeros(rows) > 0)):
            tensors = leaves(HIDDEN[:rows], MATRIX, BIAS)
            options = {"target": target, "mask": mask, "compact": compact, "workspace": 40_000}
            broken = torch.full((rows, C), torch.nan, dtype=torch.float64)
            with pt.engine(engine):
                loss = of_head(*tensors, teacher=broken, **options)
            assert loss.item() == 0
            assert not any(g.any() for g in torch.autograd.grad(loss, tensors))


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("beta", BETAS)
def test_rows_that_are_left_out_may_hold_anything_and_others_not(beta, compact):
    broken = torch.where(MASK[:, None], THEIRS, torch.nan)
    wrong = torch.where(MASK[:, None], HIDDEN, torch.inf)
    options = {"mask": MASK, "beta": beta, "compact": compact, **LAYER}
    found = value_and_gradients(of_head, leaves(wrong, MATRIX), teacher=broken, **options)
    expected = value_and_gradients(of_head, leaves(HIDDEN, MATRIX), mask=MASK, beta=beta)
    torch.testing.assert_close(found, expected)
    of_one = THEIRS.clone()
    of_one[7, 2] = torch.nan
    each = of_head(HIDDEN, MATRIX, teacher=of_one, **LAYER, beta=beta, reduction="none")
    assert each.isnan().nonzero().flatten().tolist() == [7]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("beta", BETAS)
def test_masked_classes(beta, dtype):
    """The teacher rules a class out, both do, or the student does: plain torch has NaN there."""
    teacher, bias = TEACHER.clone(), BIAS.clone()
    bias[3] = teacher[:, 3] = -torch.inf
    teacher[::2, 5] = -torch.inf
    options = {"teacher": teacher.to(dtype), "beta": beta, "reduction": "none"}
    tensors = leaves(HIDDEN, MATRIX, bias, dtype=dtype)
    with ENGINES.seen() as seen:
        found = value_and_gradients(of_head, tensors, **options)
    assert seen == ["blocks"]
    rows = slice(1, None, 2) if beta == 1 else slice(None)  # D(q ‖ p) is inf at the others
    options["teacher"] = teacher
    expected = value_and_gradients(of_all_logits, leaves(HIDDEN, MATRIX, bias), **options)
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {}
    torch.testing.assert_close(found[0].double(), expected[0], **close)
    assert found[0][rows].isfinite().all()
    torch.testing.assert_close(found[1][rows].double(), expected[1][rows], **close)
    if beta != 1:
        assert all(g.isfinite().all() for g in found)
        torch.testing.assert_close(found[2].double(), expected[2], **close)
    alone = BIAS.clone()
    alone[3] = -torch.inf
    each = of_head(HIDDEN, MATRIX, alone, teacher=TEACHER, beta=beta, reduction="none")
    assert bool(each.isinf().all()) == (beta == 0)


@pytest.mark.parametrize("beta", [0.5, 0.1])
def test_disjoint_distributions_cost_the_entropy_of_beta(beta):
    """https://github.com/linkedin/Liger-Kernel/issues/769: a logarithm of 0 was NaN there."""
    z, t = 300 * torch.eye(4)[:2], 300 * torch.eye(4)[2:]
    tensors = leaves(z, torch.eye(4), dtype=torch.float32)
    loss, *gradients = value_and_gradients(of_head, tensors, teacher=t, beta=beta, temperature=1.0)
    limit = -beta * math.log(beta) - (1 - beta) * math.log1p(-beta)
    assert loss.item() == pytest.approx(limit, rel=1e-6)
    assert all(g.isfinite().all() for g in gradients)


def test_a_softcap_of_each():
    """https://github.com/huggingface/trl/pull/6629: each model's logits have their own."""
    capped = 2.0 * torch.tanh(TEACHER / 2.0)
    expected = of_all_logits(HIDDEN, MATRIX, teacher=capped, softcap=3.0, beta=0.5)
    for engine in ("blocks", "materialised"):
        for teacher in (THEIRS, TEACHER):
            options = {"teacher": teacher, "teacher_softcap": 2.0, "softcap": 3.0, "beta": 0.5}
            with pt.engine(engine):
                torch.testing.assert_close(of_head(HIDDEN, MATRIX, **options), expected)


def test_axes_and_the_shift_to_the_next_token():
    """A teacher's row says what comes next, as the student's does: only labels move."""
    h, y, t = HIDDEN[:36].reshape(4, 9, D), LABELS[:36].reshape(4, 9), TEACHER[:36].reshape(4, 9, C)
    mask, places = MASK[:36].reshape(4, 9), PLACES[:36].reshape(4, 9)
    for target in (y, None):
        options = {} if target is None else {"mask": mask, "row_weight": places}
        sliced = {name: v[:, 1:] for name, v in options.items()}
        found = of_head(
            h, MATRIX, teacher=t, target=target, shift=True, reduction="none", **options
        )
        expected = pt.distillation_loss(
            (h[:, :-1] @ MATRIX.T).movedim(-1, 1), t[:, :-1].movedim(-1, 1),
            None if target is None else target[:, 1:], reduction="none", **sliced,
        )  # fmt: skip
        assert found.shape == (4, 9)
        torch.testing.assert_close(found[:, :-1], expected)
        assert not found[:, -1].any()
    one = of_head(HIDDEN[1], MATRIX, teacher=TEACHER[1])
    torch.testing.assert_close(one, pt.distillation_loss(MATRIX @ HIDDEN[1], TEACHER[1]))


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_low_rank_adapter_that_is_not_formed(reduction):
    def ours(hidden, matrix, a, b):
        return of_head(hidden, matrix, lora=(a, b, 0.5), beta=0.5, reduction=reduction)

    def formed(hidden, matrix, a, b):
        return of_all_logits(hidden, matrix + 0.5 * b @ a, beta=0.5, reduction=reduction)

    found = value_and_gradients(ours, leaves(HIDDEN, MATRIX, *LOW[:2]))
    expected = value_and_gradients(formed, leaves(HIDDEN, MATRIX, *LOW[:2]))
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


def test_no_gradient_flows_to_the_teacher():
    """Nor to what is frozen of the student."""
    theirs = leaves(THEIRS, OF_THEIRS, BIAS_OF_THEIRS)
    hidden, matrix = leaves(HIDDEN, MATRIX)
    given = {"teacher_weight": theirs[1], "teacher_bias": theirs[2]}
    for engine in ("blocks", "formula", "materialised"):
        options = {"workspace": 1 << 20, **given}
        with pt.engine(engine):
            of_head(hidden, matrix.detach(), teacher=theirs[0], **options).backward()
    assert hidden.grad is not None
    assert matrix.grad is None
    assert all(t.grad is None for t in theirs)


def test_a_teacher_of_another_dtype():
    """Half precision beside a float32 student, and float32 beside a student in half precision."""
    for of_student, of_teacher in (
        (torch.float32, torch.bfloat16),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float64),
    ):
        h, m = (t.to(of_student) for t in (HIDDEN, MATRIX))
        t = TEACHER.to(of_teacher)
        found = of_head(h, m, teacher=t, beta=0.5)
        expected = of_all_logits(h.double(), m.double(), teacher=t.double(), beta=0.5)
        torch.testing.assert_close(found.double(), expected, rtol=1e-2, atol=1e-4)


def test_strides():
    turned = TEACHER.T.contiguous().T
    apart = torch.stack([TEACHER, -TEACHER], 2)[..., 0]
    expected = value_and_gradients(of_head, leaves(HIDDEN, MATRIX), teacher=TEACHER, target=LABELS)
    for teacher in (turned, apart):
        found = value_and_gradients(of_head, leaves(HIDDEN, MATRIX), teacher=teacher, target=LABELS)
        torch.testing.assert_close(found, expected)


def test_statistics_are_the_students():
    options = {"target": LABELS, "temperature": 2.0, "return_stats": True, "workspace": 40_000}
    with ENGINES.seen() as seen:
        loss, stats = of_head(HIDDEN, MATRIX, **options)
    assert seen == ["formula"]
    options.pop("workspace")
    expected, of_all = of_all_logits(HIDDEN, MATRIX, **options)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(list(stats), list(of_all))


@pytest.mark.matrix
@pytest.mark.parametrize("beta", [0.5, 0.0, 1.0, 0.1])
def test_derivatives(beta):
    """First and second, in reverse, forward and batched mode."""
    rows = slice(0, 2)
    tensors = leaves(HIDDEN[rows, :2], MATRIX[:4, :2], BIAS[:4])

    def loss(hidden, matrix, bias, reduction="mean"):
        options = {"teacher": TEACHER[rows, :4], "beta": beta, "reduction": reduction}
        return of_head(hidden, matrix, bias, target=LABELS[rows] % 4, workspace=1000, **options)

    for reduction in ("mean", "none"):

        def each(*given, of=reduction):
            return loss(*given, reduction=of)

        assert torch.autograd.gradcheck(each, tensors)
        assert torch.autograd.gradgradcheck(each, tensors)
    first = torch.autograd.grad(loss(*tensors), tensors)
    torch.testing.assert_close(torch.func.grad(loss, (0, 1, 2))(*tensors), first)
    many = torch.func.vmap(loss, (None, 0, None))(
        tensors[0], torch.stack([tensors[1]] * 2), tensors[2]
    )
    torch.testing.assert_close(many, loss(*tensors).detach().expand(2))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("beta", [0.0, pytest.param(0.5, marks=pytest.mark.slow)])
def test_compile(beta):
    def loss(hidden, matrix):
        return of_head(hidden, matrix, target=LABELS, beta=beta)

    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = value_and_gradients(compiled, leaves(HIDDEN, MATRIX))
    torch.testing.assert_close(found, value_and_gradients(loss, leaves(HIDDEN, MATRIX)))


def test_autocast():
    hidden, matrix = leaves(HIDDEN, MATRIX, dtype=torch.float32)
    theirs = THEIRS.float(), OF_THEIRS.float()
    with torch.autocast("cpu", torch.bfloat16):
        loss = of_head(hidden, matrix, teacher=theirs[0], teacher_weight=theirs[1])
    rounded = [t.detach().bfloat16() for t in (hidden, matrix, *theirs)]
    plain = of_head(rounded[0], rounded[1], teacher=rounded[2], teacher_weight=rounded[3])
    torch.testing.assert_close(loss, plain)
    loss.backward()
    assert {hidden.grad.dtype, matrix.grad.dtype} == {torch.float32}


def test_a_teacher_that_changes_before_the_backward_is_refused():
    hidden, matrix = leaves(HIDDEN, MATRIX)
    teacher = TEACHER.clone()
    loss = of_head(hidden, matrix, teacher=teacher, reduction="none")
    teacher += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.sum().backward()


REFUSED = {
    "rows": (lambda: of_head(HIDDEN, MATRIX, teacher=TEACHER[:5]), r"teacher .* shape \(37, 11\)"),
    "classes": (
        lambda: of_head(HIDDEN, MATRIX, teacher=TEACHER[:, :5]), r"or come with teacher_weight"),
    "hidden rows": (lambda: of_head(HIDDEN[:5], MATRIX), "teacher must have the rows of the input"),
    "classes of its layer": (
        lambda: of_head(HIDDEN, MATRIX[:5]), "teacher_weight must have the 5 classes"),
    "width": (
        lambda: of_head(HIDDEN, MATRIX, teacher=HIDDEN, **LAYER), r"teacher_weight .* \(C, 6\)"),
    "bias": (
        lambda: of_head(HIDDEN, MATRIX, teacher_bias=BIAS[:2]), r"teacher_bias .* shape \(11,\)"),
    "bias of logits": (
        lambda: of_head(HIDDEN, MATRIX, teacher=TEACHER, teacher_bias=BIAS),
        "teacher_bias must be left out without teacher_weight"),
    "dtype": (
        lambda: of_head(HIDDEN, MATRIX, teacher_weight=OF_THEIRS.float()),
        "teacher_weight must be torch.float64, as the teacher is"),
    "integers": (
        lambda: of_head(HIDDEN, MATRIX, teacher=LABELS[:, None]), "teacher must be floating point"),
    "no tensor": (lambda: of_head(HIDDEN, MATRIX, teacher=3.0), "teacher must be a torch.Tensor"),
    "softcap": (
        lambda: of_head(HIDDEN, MATRIX, teacher_softcap=0.0), "teacher_softcap must be greater"),
    "alpha": (lambda: of_head(HIDDEN, MATRIX, alpha=2), r"alpha must be in \[0, 1\]"),
    "beta": (lambda: of_head(HIDDEN, MATRIX, beta=-0.1), r"beta must be in \[0, 1\]"),
    "temperature": (lambda: of_head(HIDDEN, MATRIX, temperature=0.0), "temperature must be in"),
    "class weights": (lambda: of_head(HIDDEN, MATRIX, weight=BIAS), "argument 'weight'"),
    "gamma": (lambda: of_head(HIDDEN, MATRIX, gamma=1.0), "gamma must be left out"),
    "a label that is no class": (
        lambda: of_head(HIDDEN, MATRIX, target=LABELS.clamp(min=0) + 40),
        r"target .* \[0, 11\) .*; got 40 .*row 0"),
    "sparse": (
        lambda: of_head(HIDDEN, MATRIX, teacher=TEACHER.to_sparse()), "teacher must be dense"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, message = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=message):
        call()


PEAK = """
import sys, torch, plogq.torch as pt
from tests.memory import growth
def step(n):
    loss = pt.linear_distillation_loss(
        h[:n], m, t[:n], teacher_weight=w, beta=float(sys.argv[1]), reduction=sys.argv[2],
        workspace=8 << 20)
    loss.sum().backward()
h, m = torch.randn(1024, 16, requires_grad=True), torch.randn(20000, 16, requires_grad=True)
t, w = torch.randn(1024, 24), torch.randn(20000, 24)
torch.set_num_threads(1)
step(64)
print(growth(lambda: step(1024)) / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.matrix
@pytest.mark.parametrize(("beta", "reduction"), [("0.5", "mean"), ("1", "none")])
def test_logits_are_never_all_there(beta, reduction):
    """Those of both would be 156 MiB; the workspace is 8."""
    command = [sys.executable, "-c", PEAK, beta, reduction]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(run.stdout) < 30


@pytest.mark.slow
@pytest.mark.parametrize("beta", BETAS)
def test_models_as_they_are(beta):
    """A Qwen learns from a Gemma, whose logits have a softcap; beside TRL's loss of all logits."""
    transformers = pytest.importorskip("transformers")
    trainer = pytest.importorskip("trl.experimental.gkd").GKDTrainer
    sizes = {"vocab_size": 300, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"num_key_value_heads": 1, "intermediate_size": 16, "head_dim": 8}
    torch.manual_seed(0)
    student = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(hidden_size=16, **sizes))
    teacher = transformers.Gemma2ForCausalLM(
        transformers.Gemma2Config(hidden_size=24, final_logit_softcapping=0.5, **sizes)
    )
    ids = torch.randint(300, (2, 12))
    labels = torch.where(torch.rand(2, 12) < 0.3, -100, ids)
    z, t = student(input_ids=ids).logits, teacher(input_ids=ids).logits.detach()
    theirs = trainer.generalized_jsd_loss(
        z[:, :-1].flatten(0, 1), t[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), beta=beta
    )
    found = pt.linear_distillation_loss(
        student.model(input_ids=ids).last_hidden_state, student.lm_head.weight,
        teacher.model(input_ids=ids).last_hidden_state, labels, shift=True, alpha=1.0, beta=beta,
        teacher_weight=teacher.lm_head.weight, teacher_softcap=0.5, temperature=1.0,
        workspace=20_000,
    )  # fmt: skip
    torch.testing.assert_close(found, theirs, rtol=1e-4, atol=1e-7)
    wanted = list(student.parameters())
    pairs = zip(*(torch.autograd.grad(loss, wanted) for loss in (found, theirs)), strict=True)
    for mine, other in pairs:
        assert (mine - other).abs().max() <= 1e-4 * other.abs().max() + 1e-7
