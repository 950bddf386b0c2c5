"""What a mask hides never counts: it is refused by name and row, by formulas, losses and codes."""

import numpy as np
import pytest

import plogq
from plogq import codes
from plogq.kernels.arrays import to_numpy
from plogq.lm import score_tokens
from plogq.numpy import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    row_statistics,
    squared_error,
)
from tests.optional import optional

torch = optional("torch")

X = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
Y = np.array([0, 1, 2])
LAST = np.array([False, False, True])
LABELS = np.ma.array(Y, mask=LAST)
ROWS = np.ma.array(X, mask=np.outer(LAST, [True] * 3))
P = np.ma.array([0.5, 0.5, 1.0], mask=LAST)
SHARES = np.ma.array([0.5, 0.25, 0.25], mask=LAST)

CALLS = {
    "entropy": ("p", lambda: plogq.entropy(P)),
    "entropy of rows": ("p", lambda: plogq.entropy([SHARES.data, SHARES])),
    "kl_divergence": ("q", lambda: plogq.kl_divergence(SHARES.data, SHARES)),
    "surprisal": ("p", lambda: plogq.surprisal(P)),
    "softmax": ("logits", lambda: plogq.softmax(ROWS)),
    "entropy_of_counts": ("counts", lambda: plogq.entropy_of_counts(LABELS)),
    "information_gain": ("labels", lambda: plogq.information_gain(LABELS, [0, 1, 1])),
    "branches": ("branches", lambda: plogq.information_gain([0, 1, 1], LABELS)),
    "formula": ("target", lambda: plogq.cross_entropy_from_logits(X, LABELS)),
    "formula of logits": ("logits", lambda: plogq.cross_entropy_from_logits(ROWS, Y)),
    "cross_entropy": ("target", lambda: cross_entropy(X, LABELS)),
    "logits": ("logits", lambda: cross_entropy(ROWS, Y)),
    "weight": ("weight", lambda: cross_entropy(X, Y, weight=SHARES)),
    "row_weight": ("row_weight", lambda: cross_entropy(X, Y, row_weight=SHARES)),
    "mask": ("mask", lambda: cross_entropy(X, Y, mask=np.ma.array(~LAST, mask=LAST))),
    "squared_error": ("target", lambda: squared_error(X, LABELS)),
    "binary": ("target", lambda: binary_cross_entropy_with_logits(X[0], SHARES)),
    "pos_weight": (
        "pos_weight",
        lambda: binary_cross_entropy_with_logits(X[0], X[0] * 0, pos_weight=SHARES),
    ),
    "row_statistics": ("logits", lambda: row_statistics(ROWS)),
    "compress": ("labels", lambda: codes.compress(LABELS, np.exp(X))),
    "probs": ("probs", lambda: codes.compress(Y, np.ma.exp(ROWS))),
    "encoder": ("labels", lambda: codes.ModelEncoder(3).encode(LABELS, np.exp(X))),
    "shared": ("shared", lambda: codes.ModelEncoder(3, shared=SHARES)),
    "huffman": ("weights", lambda: codes.Code.huffman(SHARES)),
    "kraft": ("lengths", lambda: codes.kraft_sum(LABELS)),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_what_is_hidden_is_refused(call):
    name, ask = CALLS[call]
    with pytest.raises(ValueError, match=rf"^{name} must hide nothing .*masked \(first at row "):
        ask()


def test_a_mask_that_hides_nothing_changes_nothing():
    assert cross_entropy(np.ma.array(X), np.ma.array(Y)) == cross_entropy(X, Y)
    found = plogq.entropy(np.ma.array([0.5, 0.5]))
    assert found == plogq.entropy([0.5, 0.5])
    assert type(found) is np.float64
    assert codes.compress(np.ma.array(Y), np.ma.exp(X)) == codes.compress(Y, np.exp(X))


def test_the_ways_on_that_the_message_names():
    wanted = -np.log([0.7, 0.8]).mean()
    assert cross_entropy(X, LABELS.filled(-100)) == pytest.approx(wanted)
    assert cross_entropy(X, Y, mask=~LABELS.mask) == pytest.approx(wanted)
    assert plogq.entropy(P.compressed()) == pytest.approx(np.log(2))


def test_tokens_without_a_logprob():
    """The first token of a document may be without one: masked, it is not scored."""
    tokens = {"doc": ["a", "a", "b"], "logprob": np.ma.array([0.0, -1, -2], mask=[1, 0, 0])}
    result = score_tokens(tokens, unit="nat", bootstrap=0)
    assert result.cross_entropy_per_token == 1.5
    with pytest.raises(ValueError, match="'logprob' must hold the logprob of every token"):
        score_tokens(tokens | {"logprob": np.ma.array([0.0, -1, -2], mask=[0, 1, 0])})


def test_codes_take_tensors():
    data, _ = codes.compress(torch.tensor(Y), torch.tensor(np.exp(X), requires_grad=True))
    assert data == codes.compress(Y, np.exp(X))[0]
    halves = torch.tensor([[0.5, 0.25, 0.25]] * 3, dtype=torch.bfloat16)
    assert codes.compress(Y, halves)[1].exact_bits == 5


@pytest.mark.parametrize(
    "wrong",
    [lambda: [[1.0], [1.0, 2.0]], lambda: torch.eye(2).to_sparse()],
    ids=["ragged", "sparse"],
)
def test_what_is_no_array_is_refused_in_one_line(wrong):
    with pytest.raises(TypeError, match=r"^weights must be an array; got \w+: .*") as caught:
        to_numpy("weights", wrong())
    assert "\n" not in str(caught.value)
