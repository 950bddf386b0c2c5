"""The n-gram model against its definition, gram by gram, in exact arithmetic."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from plogq.demo.ngram import NGram


def grams(documents, order):
    """Give all n-grams of one order, with repeats."""
    padded = [(bytes(order - 1) + d, len(d)) for d in documents]
    return [d[i : i + order] for d, n in padded for i in range(n)]


def tables(documents, order):
    """Give counts of each order: occurrences of the highest, different first bytes below it."""
    found = {order: Counter(grams(documents, order))}
    for k in range(order - 1, 0, -1):
        found[k] = Counter(gram[1:] for gram in found[k + 1])
    return found


def discounts(counts):
    n = [None, *(sum(c == i for c in counts.values()) for i in (1, 2, 3, 4))]
    half = [Fraction(0)] + [Fraction(1, 2)] * 3
    if min(n[1:4]) == 0:
        return half
    y = Fraction(n[1], n[1] + 2 * n[2])
    found = [Fraction(0), *(i - (i + 1) * y * Fraction(n[i + 1], n[i]) for i in (1, 2, 3))]
    return [d if d > 0 else h for d, h in zip(found, half, strict=True)]


def probability(counts, context, byte, k):
    """P_k by recursion, as in Chen and Goodman, section 3."""
    if k == 0:
        return Fraction(1, 256)
    context = context[len(context) - (k - 1) :]
    lower = probability(counts, context[1:], byte, k - 1)
    after = {gram[-1]: c for gram, c in counts[k].items() if gram[:-1] == context}
    if not after:
        return lower
    d = discounts(counts[k])
    total = sum(after.values())
    c = after.get(byte, 0)
    freed = sum(d[min(c, 3)] for c in after.values())
    return (c - d[min(c, 3)] + freed * lower) / total


TRAINING = [b"abracadabra", b"abraabrac", b"cadabra ab", b"aaaaaaaaab"]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 8])
def test_against_the_definition(order):
    text = b"abrab zcada"
    counts = tables(TRAINING, order)
    padded = bytes(order - 1) + text
    expected = [
        probability(counts, padded[i : i + order - 1], text[i], order) for i in range(len(text))
    ]
    found = NGram(TRAINING, order).surprisals([text])
    np.testing.assert_allclose(np.exp(-found), [float(p) for p in expected], rtol=1e-13)


def test_discounts_are_estimated_where_they_can_be():
    """Both branches of the definition are reached by the test above."""
    found = [discounts(tables(TRAINING, 3)[k])[1] for k in (1, 2, 3)]
    assert Fraction(1, 2) in found
    assert any(d != Fraction(1, 2) for d in found)


@pytest.mark.parametrize("context", [b"", b"abra", b"zz", b"a" * 9])
def test_probabilities_sum_to_1(context):
    model = NGram(TRAINING, 4)
    documents = [context + bytes([byte]) for byte in range(256)]
    last = model.surprisals(documents).reshape(256, -1)[:, -1]
    assert np.exp(-last).sum() == pytest.approx(1, abs=1e-13)


def test_documents_do_not_see_each_other():
    model = NGram(TRAINING, 5)
    apart = [model.surprisals([d]) for d in (b"abra", b"cadab")]
    np.testing.assert_array_equal(model.surprisals([b"abra", b"cadab"]), np.concatenate(apart))


@pytest.mark.parametrize("order", [0, 9])
def test_order(order):
    with pytest.raises(ValueError, match="order must be from 1 to 8"):
        NGram(TRAINING, order)
