"""A model as a coder: the bits are what the predictions promise, and every round trip holds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import plogq
from plogq.codes import CodeError, ModelDecoder, ModelEncoder, compress, decompress
from plogq.codes.container import pack, varint
from plogq.codes.quantised import quantise

WHOLE = 2**24


def table(rows, classes, seed=0, sharpness=2.0, dtype=np.float64):
    """Draw logits, their softmax, and labels from it."""
    rng = np.random.default_rng(seed)
    logits = (rng.standard_normal((rows, classes)) * sharpness).astype(dtype)
    q = np.exp(logits.astype(np.float64))
    q /= q.sum(axis=1, keepdims=True)
    labels = (rng.random((rows, 1)) > np.cumsum(q, axis=1)[:, :-1]).sum(axis=1)
    return logits, q.astype(dtype), labels


def exact_bits(q, labels):
    """Σ −log₂ of the normalised rows, in 40 digits."""
    with mp.workdps(40):
        total = mpf(0)
        for row, y in zip(q, labels, strict=True):
            numbers = row.tolist()
            total -= mp.log(mpf(numbers[y]) / mp.fsum(numbers), 2)
        return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["probs", "logits", "logprobs"])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 1000])
def test_round_trip_and_exact_bits(kind, classes, dtype):
    logits, q, labels = table(200, classes, dtype=dtype)
    given = {"probs": q, "logits": logits, "logprobs": np.log(q)}[kind]
    data, length = compress(labels, given, kind=kind)
    assert (decompress(data, given, kind=kind) == labels).all()
    exp = np.vectorize(mp.exp, otypes=[object])
    wanted = exact_bits(q if kind == "probs" else exp(given.astype(np.float64)), labels)
    assert length.exact_bits == pytest.approx(float(wanted), rel=1e-12, abs=1e-12)
    assert length.rows == 200
    assert length.bytes == len(data) == length.payload_bytes + length.framing_bytes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rows", "classes"), [(1, 2), (7, 3), (5000, 10), (300, 5000)])
def test_what_is_reported_is_what_is_coded(rows, classes, seed):
    _, q, labels = table(rows, classes, seed)
    _, length = compress(labels, q)
    weight = quantise(q).weights[np.arange(rows), labels].astype(np.int64) + 1
    bits = math.fsum(24 - math.log2(w) for w in weight)
    assert length.quantised_bits == pytest.approx(bits, rel=1e-14)
    # Never below what the coded distribution says; above it by the coder's own 2⁻⁸/32 a symbol at
    # the outside, and by the one or two words that end the stream.
    assert 8 * length.payload_bytes >= length.quantised_bits - 1e-6
    assert length.coder_bits <= 64 + rows * 2e-3
    parts = length.quantised_bits + length.coder_bits + 8 * length.framing_bytes
    assert parts == pytest.approx(8 * length.bytes, rel=1e-12)


def test_overhead_of_100_000_rows_is_below_a_thousandth():
    _, q, labels = table(100_000, 100)
    data, length = compress(labels, q)
    assert 0 < length.overhead < 1e-3
    assert 8 * len(data) / length.exact_bits - 1 == length.overhead


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_quantised_rows_are_distributions_near_the_rows(classes):
    _, q, _ = table(50, classes, sharpness=4)
    weights = quantise(q).weights.astype(np.int64) + 1
    assert (weights >= 1).all()
    assert (weights.sum(axis=1) == WHOLE).all()
    assert np.abs(weights - 1 - q * (WHOLE - classes)).max() <= 1.001


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_parity_with_the_formulas(classes):
    _, q, labels = table(50, classes, sharpness=6)
    got = quantise(q, labels)
    coded = (got.weights.astype(np.float64) + 1) / WHOLE
    wanted = plogq.kl_divergence(q / q.sum(axis=1, keepdims=True), coded)
    np.testing.assert_allclose(got.divergence, wanted, rtol=1e-6, atol=1e-15)
    own = q[np.arange(50), labels] / q.sum(axis=1)
    np.testing.assert_allclose(got.surprisal, plogq.surprisal(own), rtol=1e-10, atol=1e-15)


def test_surprisal_keeps_the_digits_of_what_is_almost_certain():
    q = np.array([[1e-18, 1.0]])
    assert quantise(q, np.array([1])).surprisal[0] == pytest.approx(1e-18, rel=1e-12)
    logits = np.array([[0.0, 50.0]])
    wanted = float(mp.log1p(mp.exp(-50)))
    got = quantise(logits, np.array([1]), kind="logits").surprisal[0]
    assert got == pytest.approx(wanted, rel=1e-12)
    shared = ModelEncoder(2, shared=[1e-18, 1.0])
    shared.encode([1])
    assert shared.finish()[1].exact_bits == pytest.approx(1e-18 / math.log(2), rel=1e-12)


@given(st.data())
@settings(max_examples=50)
def test_any_split_into_batches_gives_the_same_bytes_and_figures(data):
    rows = data.draw(st.integers(0, 60))
    logits, _, labels = table(rows, 4, seed=rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=5)))
    whole = ModelEncoder(4, kind="logits")
    whole.encode(labels, logits)
    split = ModelEncoder(4, kind="logits")
    for a, b in zip([0, *cuts], [*cuts, rows], strict=True):
        split.encode(labels[a:b], logits[a:b])
    assert split.finish() == whole.finish()
    decoder = ModelDecoder(split.finish()[0], kind="logits")
    parts = [decoder.decode(logits[a:b]) for a, b in zip([0, *cuts], [*cuts, rows], strict=True)]
    decoder.finish()
    assert (np.concatenate(parts) == labels).all()


@pytest.mark.parametrize("classes", [1, 2, 30])
@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_shared_distribution_costs_what_its_rows_would(kind, classes):
    logits, q, _ = table(1, classes)
    model = (q if kind == "probs" else logits)[0]
    labels = np.random.default_rng(1).choice(classes, 5000, p=q[0])
    data, length = compress(labels, model, kind=kind)
    _, by_row = compress(labels, np.tile(model, (5000, 1)), kind=kind)
    assert (decompress(data, model, kind=kind) == labels).all()
    assert length.exact_bits == pytest.approx(by_row.exact_bits, rel=1e-13)
    assert length.quantised_bits == by_row.quantised_bits
    assert length.quantisation_kl == pytest.approx(by_row.quantisation_kl, rel=1e-9)
    assert length.payload_bytes == by_row.payload_bytes


def test_exp_is_the_same_everywhere_and_right():
    # Of two classes, -log q of the likelier is log1p(e^x), which is e^x where that is small.
    x = -np.linspace(40, 700, 2001)
    logits = np.column_stack([np.zeros_like(x), x])
    got = quantise(logits, np.zeros(len(x), np.int64), kind="logits").surprisal
    with mp.workdps(40):
        wanted = [mp.log1p(mp.exp(mpf(float(v)))) for v in x]
    worst = max(abs(mpf(float(a)) / b - 1) for a, b in zip(got, wanted, strict=True))
    assert worst < 1.3 * 2**-52
    # With exact exponentials, the weights are the same integers.
    logits, _, _ = table(300, 20, sharpness=6)
    weights = quantise(logits, kind="logits").weights.astype(np.int64) + 1
    with mp.workdps(40):
        for row, own in zip(logits, weights, strict=True):
            q = [mp.exp(mpf(float(v)) - mpf(float(max(row)))) for v in row]
            sums = np.cumsum(q) * (WHOLE - 20) / sum(q)
            right = [int(mp.floor(s)) + j + 1 for j, s in enumerate(sums)]
            assert np.diff([0, *right[:-1], WHOLE]).tolist() == own.tolist()


def test_probabilities_far_below_the_least_are_no_trouble():
    logits = np.array([[0.0, -707.9, -708.1, -745.2, -1e308, -np.inf]])
    got = quantise(logits, np.array([4]), kind="logits")
    assert got.weights[0, 1:].tolist() == [0.0] * 5
    assert got.surprisal[0] == 1e308


def test_adaptive_model_sees_what_was_decoded():
    def laplace(past):
        seen.append(len(past))
        return (np.bincount(past, minlength=3) + 1) / (len(past) + 3)

    labels = np.random.default_rng(0).choice(3, 300, p=[0.9, 0.05, 0.05])
    seen = []
    data, length = compress(labels, laplace)
    assert seen == list(range(300))
    assert (decompress(data, laplace) == labels).all()
    assert length.exact_bits < 300 * math.log2(3) / 2
    with pytest.raises(CodeError, match=r"with other predictions|with these predictions"):
        decompress(data, lambda past: [0.2, 0.3, 0.5])
    empty, _ = compress(np.zeros(0, np.int64), laplace)
    assert decompress(empty, laplace).tolist() == []


def test_no_rows():
    data, length = compress(np.zeros(0, np.int64), np.zeros((0, 5)))
    assert decompress(data, np.zeros((0, 5))).tolist() == []
    assert (length.rows, length.exact_bits, length.payload_bytes) == (0, 0.0, 0)
    assert (length.bits_per_row, length.exact_bits_per_row, length.overhead) == (0.0, 0.0, None)


# --- trap 30: a coder's quantised model is not the model


def test_trap_30_a_rare_label_costs_its_quantised_bits_and_both_are_shown():
    q = np.array([[1e-12, 1 - 1e-12]])
    _, length = compress([0], q)
    assert length.exact_bits == pytest.approx(39.86, abs=0.01)
    assert length.quantised_bits == 24.0
    assert length.quantisation_kl == pytest.approx(
        float(plogq.kl_divergence(q[0], np.array([1, WHOLE - 1]) / WHOLE, unit="bit")), rel=1e-9
    )


def test_trap_30_an_impossible_label_is_refused_by_its_row():
    q = np.tile([0.0, 0.25, 0.75], (10, 1))
    labels = np.ones(10, np.int64)
    labels[[4, 7]] = 0
    encoder = ModelEncoder(3)
    encoder.encode(labels[:2], q[:2])
    with pytest.raises(ValueError, match=r"labels must have probability above 0.*first at row 4"):
        encoder.encode(labels[2:], q[2:])
    assert encoder.rows == 2  # nothing of the batch was coded
    assert (decompress(encoder.finish()[0], q[:2]) == labels[:2]).all()


def test_trap_30_an_impossible_label_is_escaped_and_counted_on_request():
    q = np.tile([0.0, 0.25, 0.75], (10, 1))
    labels = np.ones(10, np.int64)
    labels[[4, 7]] = 0
    for model in (q, q[0]):
        data, length = compress(labels, model, impossible="escape")
        assert (decompress(data, model) == labels).all()
        assert (length.exact_bits, length.escaped_rows) == (math.inf, 2)
        assert length.exact_bits_finite == pytest.approx(16)
        assert length.quantised_bits == pytest.approx(2 * 24 + 16, rel=1e-6)
        assert length.overhead is None


# --- another model, other rows


@pytest.mark.parametrize(
    "change",
    [
        lambda q: q[::-1],
        lambda q: q[:, ::-1],
        lambda q: np.tile(q.mean(axis=0), (len(q), 1)),
        lambda q: np.where(np.arange(len(q))[:, None] == 99, np.roll(q, 1, axis=1), q),
    ],
)
def test_another_model_is_refused_before_a_label_is_given(change):
    _, q, labels = table(100, 4)
    data, _ = compress(labels, q)
    with pytest.raises(CodeError, match="made with other predictions"):
        decompress(data, change(q))
    with pytest.raises(CodeError):  # known at the end at the latest
        decode_by_row(data, change(q))


def decode_by_row(data, q):
    decoder = ModelDecoder(data)
    for row in q:
        decoder.decode(row[None])
    decoder.finish()


def test_another_model_that_gives_the_same_labels_is_refused_at_the_end():
    q = np.tile([0.5, 0.25, 0.25], (8, 1))
    data, _ = compress(np.zeros(8, np.int64), q)
    other = q.copy()
    other[-1] = [0.5, 0.125, 0.375]
    decoder = ModelDecoder(data)
    assert decoder.decode(other).tolist() == [0] * 8
    with pytest.raises(CodeError, match="made with other predictions"):
        decoder.finish()


def test_other_counts_are_refused():
    _, q, labels = table(100, 4)
    data, _ = compress(labels, q)
    with pytest.raises(CodeError, match=r"100 labels of 4 classes.*\(99, 4\)"):
        decompress(data, q[:-1])
    with pytest.raises(CodeError, match=r"100 labels of 4 classes.*\(100, 3\)"):
        decompress(data, q[:, :3])
    with pytest.raises(CodeError, match="predictions of each row"):
        decompress(data, q[0])
    shared, _ = compress(labels, q[0])
    with pytest.raises(CodeError, match="one distribution for all rows"):
        decompress(shared, q)
    with pytest.raises(CodeError, match="made with other predictions"):
        decompress(shared, q[1])
    decoder = ModelDecoder(data)
    decoder.decode(q[:60])
    with pytest.raises(CodeError, match="60 were decoded"):
        decoder.finish()
    with pytest.raises(CodeError, match="more predictions were given"):
        decoder.decode(q[:41])


def test_forged_counts_neither_hang_nor_take_all_memory():
    q = [0.25, 0.75]
    data, _ = compress([0, 1, 1], q)
    for rows in (4000, 2**62):
        with pytest.raises(CodeError, match="it ends before they do"):
            decompress(forged(data, rows), q)
    with pytest.raises(CodeError, match="ends before they do"):
        decompress(forged(compress([0, 1, 1], lambda _: q)[0], 2**62), lambda _: q)
    sure, _ = compress([1, 1, 1], [0.0, 1.0])  # a label takes 2^-23.5 bits: known at once
    with pytest.raises(CodeError, match="ends before they do"):
        decompress(forged(sure, 2**33), [0.0, 1.0])
    many, _ = compress(np.ones(3_000_000, np.int64), [0.0, 1.0])
    assert len(decompress(many, [0.0, 1.0])) == 3_000_000
    one, _ = compress([0, 0, 0], [1.0])
    assert decompress(one, [1.0]).tolist() == [0, 0, 0]
    with pytest.raises(CodeError, match="more than there is memory for"):
        decompress(forged(one, 2**62), [1.0])


def forged(data, rows):
    """Change the count of rows from 3, and make the checksum fit."""
    assert data[6] == 3
    return pack(data[5:6], varint(rows) + data[7:-4], b"")


# --- bad input


def test_an_adaptive_model_cannot_change_what_was_decoded():
    def writes(past):
        past[:] = 0
        return [0.5, 0.5]

    data, _ = compress([1, 0, 1], lambda past: [0.5, 0.5])
    with pytest.raises(ValueError, match="read-only"):
        decompress(data, writes)
    with pytest.raises(ValueError, match="read-only"):
        compress([1, 0, 1], writes)


def test_adaptive_models_and_labels_that_are_none():
    with pytest.raises(ValueError, match=r"probs must give a distribution.*\(\) .*row 0"):
        compress([0], lambda past: 0.5)
    with pytest.raises(ValueError, match=r"labels must be integers of shape \(n,\)"):
        compress(3, [[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"labels must be integers of shape \(n,\)"):
        compress([0.5], lambda past: [0.5, 0.5])


def test_numbers_of_rows_to_decode():
    data, _ = compress([0, 1, 1], [0.5, 0.5])
    decoder = ModelDecoder(data, shared=[0.5, 0.5])
    assert decoder.decode(np.int64(2)).tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"predictions must be a number of rows.*got -1"):
        decoder.decode(-1)
    with pytest.raises(TypeError, match="predictions must be a number of rows"):
        decoder.decode(np.array([[0.5, 0.5]]))
    assert decoder.decode(1).tolist() == [1]
    decoder.finish()


@pytest.mark.parametrize(
    ("labels", "probs", "message"),
    [
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], r"labels must be class indices.*got 2 .*row 1"),
        ([0, -1], [[0.5, 0.5], [0.5, 0.5]], r"labels must be class indices.*got -1 .*row 1"),
        ([0.5, 1.0], [[0.5, 0.5], [0.5, 0.5]], "labels must be integers"),
        ([[0]], [[0.5, 0.5]], "labels must be integers of shape"),
        ([0, 0], [[0.5, 0.5], [0.5, 0.6]], r"be probabilities that sum to 1.*sum 1\.1 .*row 1"),
        ([0, 0], [[0.5, 0.5], [-0.5, 1.5]], r"be probabilities that sum to 1.*row 1"),
        ([0, 0], [[0.5, 0.5], [math.nan, 0.5]], r"be probabilities that sum to 1.*row 1"),
        ([0, 0], [[0.5, 0.5]], r"probs must have shape \(2, classes\)"),
        ([0], [[[0.5, 0.5]]], "probs must have shape"),
        ([0], [["a", "b"]], "predictions must be real numbers"),
    ],
)
def test_bad_input(labels, probs, message):
    with pytest.raises((ValueError, TypeError), match=message):
        compress(labels, np.array(probs))


def test_bad_logits_and_names():
    with pytest.raises(ValueError, match=r"predictions must be numbers below inf.*row 1"):
        compress([0, 0], [[0.0, 1.0], [-math.inf, -math.inf]], kind="logits")
    with pytest.raises(ValueError, match=r"predictions must be numbers below inf.*row 0"):
        compress([0], [[0.0, math.inf]], kind="logits")
    with pytest.raises(ValueError, match='kind must be "probs"'):
        compress([0], [[0.0, 1.0]], kind="odds")
    with pytest.raises(ValueError, match='impossible must be "refuse" or "escape"'):
        compress([0], [[0.0, 1.0]], impossible="ignore")
    with pytest.raises(ValueError, match="classes must be 1 to"):
        ModelEncoder(2**24)
    with pytest.raises(ValueError, match=r"shared must have shape \(3,\)"):
        ModelEncoder(3, shared=[0.5, 0.5])
    with pytest.raises(ValueError, match="predictions must be given with each batch"):
        ModelEncoder(3).encode([0])


def test_masked_logits_and_half_precision():
    logits = np.array([[0.0, -np.inf, 1.0]] * 5, np.float16)
    data, _ = compress([0, 2, 2, 0, 2], logits, kind="logits")
    assert decompress(data, logits, kind="logits").tolist() == [0, 2, 2, 0, 2]
    half = np.array([[0.1, 0.2, 0.7]] * 5, np.float16)
    data, _ = compress([0, 2, 2, 1, 2], half)
    assert decompress(data, half).tolist() == [0, 2, 2, 1, 2]
    swapped = np.array([[0.25, 0.25, 0.5]] * 5, ">f8")
    data, _ = compress([0, 1], swapped[:2, ::-1])
    assert decompress(data, swapped[:2, ::-1]).tolist() == [0, 1]
