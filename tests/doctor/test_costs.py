"""The numbers that findings state, computed again by torch or in exact arithmetic."""

import re

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from plogq.doctor import check
from tests.doctor.corpus.values.draws import coins, drawn, logits, one_hot, sigmoid, softmax

torch = pytest.importorskip("torch")
F = torch.nn.functional


def tensor(x):
    return torch.from_numpy(np.asarray(x, dtype=np.float64))


def one(code, *args, **options):
    """Return the finding of one check, with the numbers in its evidence."""
    (finding,) = check(*args, select=[code], **options).findings
    text = "; ".join(finding.evidence)
    return finding, [float(each) for each in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)]


def near(found, wanted):
    """Hold a number that was printed with four digits against its value."""
    assert found == pytest.approx(float(wanted), rel=1e-3, abs=1e-9)


X = logits(50, 4, 1)
Y = drawn(X, 2)
P, Z = softmax(X), logits(50, 4, 3)
T = softmax(Z)
ROWS = torch.from_numpy(Y)


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_a_second_softmax_leaves_a_floor(classes):
    p = softmax(logits(20, classes, classes))
    finding, _ = one("PQ101", p, np.arange(20) % classes, framework="torch")
    best = F.cross_entropy(torch.eye(classes, dtype=torch.float64), torch.arange(classes))
    assert finding.cost.nats == pytest.approx(float(best), rel=1e-13)


def test_the_loss_twice_and_once():
    _, (_, twice, once) = one("PQ101", P, Y, framework="torch")
    near(twice, F.cross_entropy(tensor(P), ROWS))
    near(once, F.nll_loss(tensor(P).log(), ROWS))


def keras_loss(x, y):
    """Return what Keras charges, in exact arithmetic."""
    total = mpf(0)
    for row, label in zip(x, y, strict=True):
        share = mpf(float(row[label])) / sum(mpf(float(each)) for each in row)
        total -= mpmath.log(min(max(share, mpf("1e-7")), 1 - mpf("1e-7")))
    return total / len(y)


def test_keras_divides_log_probabilities_and_logits_by_their_sum():
    name = "sparse_categorical_crossentropy"
    right = float(F.cross_entropy(tensor(X), ROWS))
    for code, x in (("PQ102", np.log(P)), ("PQ103", X)):
        finding, _ = one(code, x, Y, loss=name)
        assert finding.cost.nats == pytest.approx(float(keras_loss(x, Y) - right), rel=1e-9)


def test_a_second_sigmoid_leaves_a_floor():
    x = logits(60, 1, 4)[:, 0]
    y = coins(x, 5)
    finding, numbers = one(
        "PQ104", sigmoid(x), y, loss="binary_cross_entropy_with_logits", framework="torch"
    )
    best = F.binary_cross_entropy_with_logits(tensor(y), tensor(y))
    assert finding.cost.nats == pytest.approx(float(best), rel=1e-13)
    near(numbers[-2], F.binary_cross_entropy(tensor(sigmoid(x)), tensor(y)))
    near(numbers[-1], F.binary_cross_entropy_with_logits(tensor(sigmoid(x)), tensor(y)))


@pytest.mark.parametrize(
    ("x", "t", "options"),
    [
        (P, T, {"reduction": "batchmean"}),
        (X, T, {"reduction": "batchmean"}),
        (np.log(P), np.log(T), {"reduction": "batchmean"}),
        (np.log(P), T, {"reduction": "mean"}),
        (P, np.log(T), {"reduction": "mean", "log_target": True}),
    ],
)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_a_divergence_beside_what_kl_div_gives(x, t, options):
    finding, numbers = one("PQ105", x, t, loss="kl_div", **options)
    as_is = F.kl_div(tensor(x), tensor(t), **options)
    right = F.kl_div(tensor(X).log_softmax(1), tensor(T), reduction="batchmean")
    near(numbers[-1], right)
    if as_is.isfinite():
        assert finding.cost.nats == pytest.approx(abs(float(right - as_is)), rel=1e-9)
        near(numbers[-2], as_is)
    else:
        assert finding.cost is None
        assert "the loss is nan" in finding.evidence[-1]


def test_both_axes_of_a_square_of_tokens_and_classes():
    x = logits(40, 5, 6, 3.0).reshape(8, 5, 5)
    y = drawn(x, 7)
    finding, (right, as_is) = one("PQ112", x, y, framework="torch")
    labels = torch.from_numpy(y)
    near(as_is, F.cross_entropy(tensor(x), labels))
    near(right, F.cross_entropy(tensor(x).transpose(1, 2), labels))
    assert finding.cost.nats == pytest.approx(as_is - right, rel=1e-2)


def test_a_loss_beside_the_base_rates():
    y = (np.arange(400) % 40 == 0).astype(float)
    x = np.full(400, -2.0) + 0.1 * np.random.default_rng(0).normal(size=400)
    for code in ("PQ114", "PQ121"):
        given = x if code == "PQ114" else np.full(400, -2.0)
        finding, _ = one(code, given, y, loss="binary_cross_entropy_with_logits")
        loss = F.binary_cross_entropy_with_logits(tensor(given), tensor(y))
        base = F.binary_cross_entropy(torch.full((400,), 1 / 40, dtype=torch.float64), tensor(y))
        assert finding.cost.nats == pytest.approx(float(loss - base), rel=1e-10)


def test_a_loss_at_the_start_beside_ln_c():
    x, y = logits(64, 10, 8, 12.0), np.arange(64) % 10
    finding, (loss, uniform) = one("PQ115", x, y, framework="torch", at_start=True)
    wanted = F.cross_entropy(tensor(x), torch.from_numpy(y))
    near(loss, wanted)
    near(uniform, mpmath.log(10))
    assert finding.cost.nats == pytest.approx(float(wanted) - np.log(10), rel=1e-10)


def test_the_gradient_of_squared_error_where_it_is_surely_wrong():
    x = torch.tensor([6.9], dtype=torch.float64, requires_grad=True)
    (x.sigmoid() ** 2).sum().backward()
    p = float(x.detach().sigmoid())
    _, numbers = one("PQ116", [p, 0.5], [0.0, 1.0], loss="mse_loss")
    assert numbers[-2] == pytest.approx(float(x.grad), rel=0.05)  # two digits are printed
    near(numbers[-1], p)


@pytest.mark.parametrize("smoothing", [0.05, 0.1, 0.4])
def test_the_floor_of_smoothing(smoothing):
    x = 5.0 * one_hot(Y, 4) + 0.01 * X
    finding, _ = one("PQ120", x, Y, framework="torch", label_smoothing=smoothing)
    t = (1 - smoothing) * one_hot(Y, 4) + smoothing / 4
    best = F.cross_entropy(tensor(np.log(t)), ROWS, label_smoothing=smoothing)
    assert finding.cost.nats == pytest.approx(float(best), rel=1e-12)
    of, floor = (float(re.search(r"[\d.]+(?= (nats|are))", part)[0]) for part in
                 finding.evidence[0].split(", ")[1:3])  # fmt: skip
    near(of, F.cross_entropy(tensor(x), ROWS, label_smoothing=smoothing))
    near(floor, best)
    near(float(finding.evidence[1].split()[-1]), F.cross_entropy(tensor(x), ROWS))


def test_a_margin_that_is_doubled():
    m = logits(300, 1, 9)[:, 0]
    y = coins(m, 10)
    finding, _ = one("PQ123", np.stack([-m, m], axis=1), y.astype(int), framework="torch")
    twice, plain = (F.binary_cross_entropy_with_logits(tensor(k * m), tensor(y)) for k in (2, 1))
    assert finding.cost.nats == pytest.approx(float(twice - plain), rel=1e-9)


def test_the_floor_of_several_labels():
    t = coins(X, 11)
    t[:3] = [[1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]]
    finding, _ = one("PQ125", X, t, framework="torch")
    best = F.cross_entropy(tensor(t).log(), tensor(t), reduction="none").nan_to_num()
    best = [
        float(-(row / row.sum() + 1e-300).log() @ row) if row.any() else 0.0 for row in tensor(t)
    ]
    assert finding.cost.nats == pytest.approx(np.mean(best), rel=1e-9)


def test_a_class_that_is_clipped_is_charged_its_logarithm():
    _, numbers = one("PQ118", [[0.0, 1.0], [0.3, 0.7]], [0, 1],
                     loss="sparse_categorical_crossentropy")  # fmt: skip
    near(numbers[-1], -mpmath.log(mpf("1e-7")))


def test_the_chance_that_close_rows_are_all_right():
    x = logits(200, 3, 12, 1.0)
    finding, _ = one("PQ122", x, x.argmax(axis=1), framework="torch")
    chance, close = mpf(1), 0
    for row in x:
        second, top = sorted(map(mpf, row))[-2:]
        if top - second <= mpmath.log(mpf("1.25")):
            close += 1
            chance *= 1 / (1 + mpmath.exp(second - top))
    assert f"in {close} rows" in finding.evidence[0]
    assert finding.evidence[0].endswith(f"the chance of that is {float(chance):.1g}")
