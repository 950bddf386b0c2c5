"""Which engine answers which question, why no faster one does, and that each of them is needed."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import plogq.numpy as pn
import plogq.torch as pt
from plogq.kernels.seam import Engines
from plogq.numpy._engines import ENGINES as OF_NUMPY
from plogq.torch.engines import ENGINES, head_loss, plain
from plogq.torch.engines.triton.engine import Triton

torch = pytest.importorskip("torch")
X = torch.linspace(-2, 3, 12).reshape(4, 3)
Y = torch.tensor([0, 2, 1, -100])
HEAD = torch.linspace(-1, 1, 15).reshape(5, 3)
SOFT = torch.tensor([[0.2, 0.3, 0.5]]).expand(4, 3).contiguous()


def learned(x):
    return x.clone().requires_grad_()


# The engine that answers each call: with a mutant that drops any of them, a row here fails.
CALLS = {
    "labels": ("native", lambda: pt.cross_entropy(X, Y)),
    "all options": ("native", lambda: pt.cross_entropy(
        X, Y, torch.ones(3), label_smoothing=0.1, z_loss=1e-3, temperature=2.0,
        mask=Y == 0, row_weight=torch.ones(4), denominator=3.0, return_stats=True)),
    "one by one": ("native", lambda: pt.cross_entropy(X, Y, reduction="none")),
    "distributions": ("native", lambda: pt.cross_entropy(X, SOFT)),
    "bfloat16": ("native", lambda: pt.cross_entropy(X.bfloat16(), Y)),
    "a map": ("native", lambda: pt.cross_entropy(X.T[None], Y[None])),
    "learned weights of rows": ("native", lambda: pt.cross_entropy(
        learned(X), Y, row_weight=learned(torch.ones(4)))),
    "focal": ("native", lambda: pt.focal_loss(X, Y)),
    "binary": ("native", lambda: pt.binary_cross_entropy_with_logits(X, SOFT)),
    "binary with weights": ("native", lambda: pt.binary_cross_entropy_with_logits(
        X, SOFT, torch.ones(3), pos_weight=torch.ones(3))),
    "binary with all options": ("native", lambda: pt.binary_cross_entropy_with_logits(
        X, SOFT, mask=X[0] > -1, ignore_index=1, label_smoothing=0.1)),
    "smoothed focal": ("blocks", lambda: pt.focal_loss(X, Y, label_smoothing=0.1)),
    "soft focal": ("blocks", lambda: pt.focal_loss(X, SOFT)),
    "Brier": ("blocks", lambda: pt.brier_loss(X, Y)),
    "generalised": ("blocks", lambda: pt.generalised_cross_entropy(X, Y)),
    "soft generalised": ("blocks", lambda: pt.generalised_cross_entropy(X, SOFT)),
    "poly": ("blocks", lambda: pt.poly_loss(X, Y, weight=torch.arange(3.0))),
    "generalised of a map": ("blocks", lambda: pt.generalised_cross_entropy(
        X.T[None], Y[None], mask=Y[None] > 0, row_weight=torch.arange(4.0)[None])),
    "poly with a z-loss": ("blocks", lambda: pt.poly_loss(X, Y, z_loss=0.1, temperature=2.0)),
    "penalty": ("blocks", lambda: pt.confidence_penalty(X)),
    "distillation": ("blocks", lambda: pt.distillation_loss(X, X.flip(1), Y)),
    "distillation by reverse KL": ("blocks", lambda: pt.distillation_loss(X, X.flip(1), beta=1)),
    "a distilled head": ("blocks", lambda: pt.linear_distillation_loss(
        X, HEAD, X.flip(1), teacher_weight=HEAD, beta=0.5)),
    "that, given all logits": ("formula", lambda: pt.linear_distillation_loss(
        X, HEAD, X @ HEAD.T, Y, return_stats=True)),
    "learned targets": ("formula", lambda: pt.cross_entropy(X, learned(SOFT))),
    "learned class weights": ("formula", lambda: pt.cross_entropy(X, Y, learned(torch.ones(3)))),
    "a transform": ("formula", lambda: torch.func.grad(lambda x: pt.cross_entropy(x, Y))(X)),
    "Brier with statistics": ("formula", lambda: pt.brier_loss(X, Y, return_stats=True)),
    "JS": ("formula", lambda: pt.js_divergence_loss(X, X.flip(1))),
    "JS of beta": ("formula", lambda: pt.js_divergence_loss(X, X.flip(1), beta=0.1)),
    "reverse KL": ("formula", lambda: pt.reverse_kl_loss(X, X.flip(1))),
    "asymmetric": ("formula", lambda: pt.asymmetric_loss(X, SOFT)),
    "binary focal": ("formula", lambda: pt.binary_focal_loss(X, SOFT)),
    "binary, targets of another dtype": ("formula", lambda:
        pt.binary_cross_entropy_with_logits(X, SOFT.double())),
    "a head": ("native", lambda: pt.linear_cross_entropy(X, HEAD, Y)),
    "a head of smoothed focal loss": ("blocks", lambda: pt.linear_cross_entropy(
        X, HEAD, Y, gamma=1.0, label_smoothing=0.1)),
    "that with statistics": ("formula", lambda: pt.linear_cross_entropy(
        X, HEAD, Y, gamma=1.0, label_smoothing=0.1, return_stats=True)),
    "a head with learned class weights": ("materialised", lambda: pt.linear_cross_entropy(
        X, HEAD, Y, weight=learned(torch.ones(5)))),
    "log-probabilities of a head": ("native", lambda: pt.linear_logprobs(X, HEAD, Y)),
    "a head by rows": ("native", lambda: pt.linear_cross_entropy(
        learned(X), learned(X), Y, reduction="none", linear_bias=torch.ones(4))),
    "a head with all options": ("native", lambda: pt.linear_cross_entropy(
        learned(X), X, Y, weight=torch.ones(4), label_smoothing=0.1, z_loss=1e-3, softcap=2.0,
        mask=Y == 0, row_weight=torch.ones(4), denominator=3.0, return_stats=True, workspace=500)),
    "a head in a transform": ("materialised", lambda: torch.func.grad(
        lambda x: pt.linear_cross_entropy(x, X, Y))(X)),
    "no memory": ("formula", lambda: pt.cross_entropy(X.to("meta"), Y.to("meta"))),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_engine_that_answers(name):
    engine, call = CALLS[name]
    with ENGINES.seen() as seen:
        call()
    assert seen == [engine]


@pytest.mark.parametrize("name", [name for name in CALLS if name != "no memory"])
def test_every_engine_that_takes_a_call_gives_the_same(name):
    """An engine gives the value of the formula, which takes every call; statistics too."""
    _, call = CALLS[name]
    answers = {}
    for engine in ENGINES.all:
        with contextlib.suppress(NotImplementedError), pt.engine(engine.name):
            answers[engine.name] = call()
    last = "formula" if "formula" in answers else "materialised"
    expected = answers.pop(last)
    assert answers or CALLS[name][0] == last
    for answer in answers.values():
        torch.testing.assert_close(answer, expected)


def test_a_graph_holds_the_operator():
    torch.compiler.reset()
    graphs = []

    def look(graph, inputs):
        graphs.append({str(node.target) for node in graph.graph.nodes})
        return graph.forward

    def loss(x):
        return pt.cross_entropy(x, Y, reduction="none")

    torch.compile(loss, backend=look, fullgraph=True)(X)
    assert any("plogq" in target for target in graphs[0])


def check_that_triton_is_next_to_native(monkeypatch):
    """Interpreted, for want of a GPU; here it only says whether it takes a call."""
    pytest.importorskip("triton")
    others = tuple(e for e in ENGINES._open if e.name != "native")
    monkeypatch.setattr(ENGINES, "_open", others)
    monkeypatch.setattr(Triton, "interprets", True)
    calls = (
        (pt.cross_entropy, X, Y),
        (pt.distillation_loss, X, X.flip(1)),
        (pt.js_divergence_loss, X, X.flip(1)),
        (pt.binary_cross_entropy_with_logits, X, SOFT),
        (pt.linear_cross_entropy, X, HEAD, Y),
        (pt.linear_logprobs, X, HEAD, Y),
    )
    for call in calls:
        assert pt.explain(*call).startswith("triton answers")


def test_triton_is_next_to_native(monkeypatch):
    check_that_triton_is_next_to_native(monkeypatch)


@pytest.mark.parametrize("dropped", [engine.name for engine in ENGINES.all])
def test_a_mutant_without_an_engine_is_noticed(dropped, monkeypatch):
    monkeypatch.setattr(ENGINES, "_open", tuple(e for e in ENGINES.all if e.name != dropped))

    def missed(check, *arguments):
        with contextlib.suppress(AssertionError, NotImplementedError):
            check(*arguments)
            return False
        return True

    if dropped == "compiled":
        assert missed(test_a_graph_holds_the_operator)
    elif dropped == "triton":
        assert missed(check_that_triton_is_next_to_native, monkeypatch)
    else:
        assert any(missed(test_the_engine_that_answers, name) for name in CALLS)


def test_a_mutant_without_pieces_is_noticed(monkeypatch):
    """A head that silently takes all of its logits fails each row that says otherwise."""
    monkeypatch.setattr(head_loss, "no_pieces", lambda x, head: "a mutant")
    for name, (engine, _) in CALLS.items():
        if "head" in name and engine != "materialised":
            with pytest.raises(AssertionError):
                test_the_engine_that_answers(name)


def test_one_engine_alone():
    fast = pt.cross_entropy(X, Y)
    with pt.engine("formula"), ENGINES.seen() as seen:
        torch.testing.assert_close(pt.cross_entropy(X, Y), fast)
    assert seen == ["formula"]
    with (
        pt.engine("native"),
        pytest.raises(NotImplementedError, match="native: the kernel has no Brier loss"),
    ):
        pt.brier_loss(X, Y)
    with pytest.raises(ValueError, match=r"engine must be one of 'native', .*; got 'cuda'"):
        pt.engine("cuda").__enter__()
    assert ENGINES.unwatched


def test_an_explanation_computes_nothing_and_names_each_reason():
    z = learned(X) * 1
    text = pt.explain(pt.cross_entropy, z, Y, inplace=True)
    assert text == "native answers"
    torch.testing.assert_close(z.detach(), X)  # not overwritten
    lines = pt.explain(pt.brier_loss, X, learned(SOFT)).splitlines()
    assert lines == [
        "formula answers",
        "native: the kernel has no Brier loss",
        "triton: no GPU: the tensors are on cpu",
        "compiled: no graph is being compiled",
        "blocks: something beside the logits wants a gradient",
    ]
    with pytest.raises(ValueError, match="target must have shape"):
        pt.explain(pt.cross_entropy, X, Y[:2])
    with pytest.raises(ValueError, match="function must be a loss that has engines; got kl_div"):
        pt.explain(pt.kl_div, X.log_softmax(1), SOFT, reduction="sum")
    assert ENGINES.unwatched


def test_an_explanation_leaves_the_calls_of_other_threads_alone():
    """And no `except Exception` of a caller swallows it."""

    def careful(x, y):
        try:
            return pt.cross_entropy(x, y)
        except Exception:
            return None

    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        losses = pool.submit(lambda: [pt.brier_loss(X, Y) for _ in iter(ended.is_set, True)])
        try:
            texts = {pt.explain(careful, X, Y) for _ in range(200)}
        finally:
            ended.set()
    assert texts == {"native answers"}
    assert len(losses.result()) > 0


def test_engines_are_nested_and_restored_after_an_error():
    with contextlib.suppress(ZeroDivisionError), ENGINES.seen() as outer:
        pt.cross_entropy(X, Y)
        with ENGINES.seen() as inner:
            pt.cross_entropy(X, Y)
        pt.cross_entropy(X, Y)
        raise ZeroDivisionError
    assert (outer, inner) == (["native"] * 2, ["native"])
    assert ENGINES.unwatched


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2, "z_loss": 0.1}, {"gamma": 1.5}])
def test_the_short_way_gives_the_same_bits(reduction, dtype, options, monkeypatch):
    """`plain` is a part of the native engine, not another one."""
    taken = []
    whole = plain.reduced_loss
    monkeypatch.setattr(plain, "reduced_loss", lambda *a: taken.append(whole(*a)) or taken[-1])

    def value_and_gradient(upstream):
        x = X.to(dtype).clone().requires_grad_()
        loss = pt.cross_entropy(x, Y, reduction=reduction, **options)
        (loss * upstream).backward()
        return loss.detach(), x.grad

    for upstream in (1.0, -3.0):
        short = value_and_gradient(upstream)
        assert taken
        assert all(one is not None for one in taken)
        with pt.engine("native"):
            assert all(map(torch.equal, short, value_and_gradient(upstream)))


@pytest.mark.parametrize(
    ("x", "y", "options"),
    [
        (X.T.contiguous().T, Y, {}),
        (X[::2], Y[::2], {}),
        (X.half(), Y, {}),
        (X, Y.int(), {}),
        (X, SOFT, {}),
        (torch.imag(torch.complex(X, -X).conj()), Y, {}),
        (X, Y, {"label_smoothing": 0.1, "gamma": 1.0}),
        (X, Y, {"reduction": "none"}),
        (X, torch.tensor([0, 2, 1, 2**40]), {"ignore_index": 2**40}),
        (torch.empty(0, 3), Y[:0], {}),
    ],
)
def test_what_is_not_plain_takes_the_whole_way(x, y, options):
    short = pt.cross_entropy(x, y, **options)
    with ENGINES.seen():
        torch.testing.assert_close(short, pt.cross_entropy(x, y, **options), rtol=0, atol=0)


def test_without_a_table_of_functions_the_whole_way_is_taken(monkeypatch):
    expected = pt.cross_entropy(X, Y)
    monkeypatch.setattr(plain, "HAS_TABLE", False)
    assert plain.plain_loss(X, Y, -100, "mean", 0.0, {}) is None
    assert torch.equal(pt.cross_entropy(X, Y), expected)


def test_the_numpy_door_has_a_list_as_well():
    x, y, soft = X.numpy(), Y.numpy(), SOFT.numpy()
    with OF_NUMPY.seen() as seen:
        pn.cross_entropy(x, y)
        pn.cross_entropy(x, soft, gamma=1.0)
        pn.squared_error(x, y)
    assert seen == ["native", "formula", "formula"]
    with pn.engine("formula"):
        np.testing.assert_allclose(pn.cross_entropy(x, y), pt.cross_entropy(X, Y), rtol=1e-6)
    text = pn.explain(pn.squared_error, x, y)
    assert text == "formula answers\nnative: it has no squared error"


def test_a_new_engine_is_an_entry_in_a_list():
    class Mine:
        name = "mine"

        def refusal(self, x, question):
            return "" if question == "mine" else "another question"

        def answer(self, x, question):
            return x

    mine = Mine()
    engines = Engines("door", mine, *ENGINES.all[-2:])
    assert engines.choose(X, "mine") is mine
    assert engines.choose(X, "any").name == "formula"
