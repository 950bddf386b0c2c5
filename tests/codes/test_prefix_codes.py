"""Codes of symbols: the books' examples, the laws, and every small case by trying everything."""

import json
import math
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plogq
from plogq.codes import (
    Code,
    ambiguity,
    blocks,
    canonical_words,
    code_cost,
    fixed_lengths,
    huffman_lengths,
    is_prefix_free,
    kraft_sum,
    shannon_fano_elias_words,
    shannon_lengths,
)
from tests.codes import oracles

WORKED = {
    item["id"]: item
    for item in json.loads((Path(__file__).parents[1] / "data/worked_numbers.json").read_text())
}
BALLS = [0.25, 0.5, 0.13, 0.12]  # blue, red, green, yellow

weights = st.lists(st.integers(0, 50), min_size=2, max_size=7)
bases = st.integers(2, 4)


def distribution(counts):
    p = np.array(counts, float) + 0.5
    return p / p.sum()


# --- worked numbers


def test_balls_codes():
    item = WORKED["balls_codes"]
    for lengths, exact, kraft in zip(
        item["inputs"]["lengths"], *item["expected"].values(), strict=True
    ):
        assert code_cost(lengths, BALLS).expected_length == pytest.approx(exact, rel=1e-15)
        assert kraft_sum(lengths) == Fraction(kraft)
    assert huffman_lengths(BALLS).tolist() == item["inputs"]["lengths"][3]
    too_short = item["inputs"]["lengths"][1]
    with pytest.raises(ValueError, match=r"Kraft sum of at most 1 .*got 3/2"):
        canonical_words(too_short)
    code = Code(["0", "1", "00", "01"])
    assert code.lengths.tolist() == too_short
    assert not code.is_uniquely_decodable
    assert code.ambiguous_stream() == ("00", [0, 0], [2])


def test_balls_entropy_and_cross():
    entropy = WORKED["balls_entropy"]["expected"]["entropy"]
    cross, own, excess = WORKED["balls_cross"]["expected"].values()
    q = [0.13, 0.25, 0.5, 0.12]
    cost = Code.huffman(BALLS).cost(q, BALLS)
    assert code_cost([2, 1, 3, 3], BALLS).entropy == pytest.approx(entropy, rel=1e-15)
    assert cost.entropy == pytest.approx(own, rel=1e-15)
    assert cost.kl == pytest.approx(excess, rel=1e-14)
    # An ideal code for p, whose words need not be whole digits, costs the cross-entropy.
    assert cost.expected_length - cost.rounding == pytest.approx(cross, rel=1e-14)


# --- laws


@given(weights)
def test_huffman_is_within_a_bit_of_the_entropy(counts):
    p = distribution(counts)
    cost = code_cost(huffman_lengths(p), p)
    assert cost.entropy <= cost.expected_length + 1e-12
    assert cost.expected_length < cost.entropy + 1
    shannon = code_cost(shannon_lengths(p), p)
    assert cost.expected_length <= shannon.expected_length + 1e-12
    assert shannon.expected_length < shannon.entropy + 1
    elias = code_cost([len(word) for word in shannon_fano_elias_words(p)], p)
    assert elias.expected_length < elias.entropy + 2


@given(weights)
def test_a_full_tree_has_kraft_sum_one(counts):
    assert kraft_sum(huffman_lengths(counts)) == 1


@given(weights, bases, st.integers(1, 6))
@settings(max_examples=200)
def test_huffman_and_package_merge_are_optimal(counts, base, longest):
    def cost(lengths):
        return sum(w * n for w, n in zip(counts, lengths.tolist(), strict=True))

    lengths = huffman_lengths(counts, base=base)
    assert kraft_sum(lengths, base=base) == oracles.kraft(lengths.tolist(), base) <= 1
    assert cost(lengths) == oracles.best_cost(counts, base)
    if base**longest >= len(counts):
        limited = huffman_lengths(counts, base=base, longest=longest)
        assert limited.max() <= longest
        assert kraft_sum(limited, base=base) <= 1
        assert cost(limited) == oracles.best_cost(counts, base, longest)
    else:
        with pytest.raises(ValueError, match="longest must leave room"):
            huffman_lengths(counts, base=base, longest=longest)


def test_package_merge_where_the_limit_binds():
    rng, bound = random.Random(0), 0
    for _ in range(300):
        base, n = rng.choice([2, 3, 4, 5]), rng.randint(2, 9)
        counts = [rng.choice([0, 1, 1, 2, 3, 5, 9, 20, 60, 200]) for _ in range(n)]
        tightest = next(k for k in range(1, 9) if base**k >= n)
        for longest in (tightest, tightest + 1):
            bound += int(huffman_lengths(counts, base=base).max()) > longest
            lengths = huffman_lengths(counts, base=base, longest=longest).tolist()
            assert max(lengths) <= longest
            assert oracles.kraft(lengths, base) <= 1
            cost = sum(w * length for w, length in zip(counts, lengths, strict=True))
            assert cost == oracles.best_cost(counts, base, longest)
    assert bound > 100


@given(weights)
def test_ties_are_defined(counts):
    lengths = huffman_lengths(counts).tolist()
    for i, a in enumerate(counts):
        for j, b in enumerate(counts):
            if a > b or (a == b and i < j):
                assert lengths[i] <= lengths[j]
    # Symbols before merged nodes: of all optimal codes, the longest word is as short as can be.
    shorter = max(lengths) - 1
    if 2**shorter >= len(counts):
        optimal = sum(w * n for w, n in zip(counts, lengths, strict=True))
        assert 0 in counts or oracles.best_cost(counts, 2, shorter) > optimal


def test_equal_weights_are_as_even_as_can_be():
    assert sorted(huffman_lengths(np.ones(6)).tolist()) == [2, 2, 3, 3, 3, 3]
    assert huffman_lengths([1, 1, 1]).tolist() == [1, 2, 2]
    assert huffman_lengths([5]).tolist() == [1]
    assert huffman_lengths([1, 2, 3], base=2**70).tolist() == [1, 1, 1]


def test_block_huffman_approaches_the_entropy():
    p = [0.9, 0.1]
    entropy = float(plogq.entropy(np.array(p), unit="bit"))
    per_symbol = []
    for k in range(1, 11):
        q = blocks(p, k)
        assert q.sum() == pytest.approx(1)
        per_symbol.append(float(q @ huffman_lengths(q)) / k)
        assert entropy <= per_symbol[-1] < entropy + 1 / k
    assert per_symbol[-1] < entropy * 1.02
    exact = [Fraction(9, 10), Fraction(1, 10)]
    assert blocks(p, 2).tolist() == pytest.approx([float(a * b) for a in exact for b in exact])


@given(weights, weights, bases)
def test_cost_adds_up_term_by_term(counts, other, base):
    n = min(len(counts), len(other))
    q, p = distribution(counts[:n]), distribution(other[:n])
    lengths = huffman_lengths(p, base=base)
    for design in (p, None):
        cost = code_cost(lengths, q, design, base=base)
        terms = cost.entropy_terms + cost.kl_terms + cost.rounding_terms
        np.testing.assert_allclose(terms, q * lengths, atol=1e-12)
        total = cost.entropy + cost.kl + cost.rounding
        assert total == pytest.approx(cost.expected_length, abs=1e-12)
        assert cost.redundancy == pytest.approx(cost.kl + cost.rounding, abs=1e-12)
        for of, one in (("entropy", cost.entropy), ("kl", cost.kl), ("rounding", cost.rounding)):
            assert getattr(cost, f"{of}_terms").sum() == pytest.approx(one, abs=1e-12)


@given(weights, weights)
def test_kl_is_the_extra_length_of_the_ideal_wrong_code(counts, other):
    n = min(len(counts), len(other))
    q, p = distribution(counts[:n]), distribution(other[:n])
    extra = q @ (np.log2(1 / p) - np.log2(1 / q))
    assert code_cost(huffman_lengths(p), q, p).kl == pytest.approx(extra, abs=1e-12)
    dyadic = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8])  # no rounding: exactly the words' lengths
    source = distribution([*counts, 1, 1][:4])
    cost = code_cost([1, 2, 3, 3], source, dyadic)
    assert cost.rounding == 0
    assert cost.redundancy == pytest.approx(cost.kl, abs=1e-12)


def test_an_impossible_symbol_costs_an_infinite_divergence():
    cost = code_cost([1, 2, 2], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0])
    assert (cost.kl, cost.rounding, cost.expected_length) == (math.inf, -math.inf, 1.5)
    cost = code_cost([1, 2, 2], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0])
    assert (cost.expected_length, cost.kl, cost.rounding) == (1.5, 0.0, 0.5)


# --- words


@given(weights, bases)
def test_rules_give_prefix_codes(counts, base):
    p = distribution(counts)
    codes = [
        Code.huffman(p, base=base),
        Code.shannon(p, base=base),
        Code.shannon_fano_elias(p, base=base),
        Code.fixed(range(len(p)), base=base),
    ]
    for code in codes:
        assert code.is_prefix_free
        assert code.is_uniquely_decodable
        assert code.kraft_sum == oracles.kraft(code.lengths.tolist(), base) <= 1


@pytest.mark.parametrize("base", [2, 3, 10])
def test_a_code_of_one_symbol_says_how_often_it_stands(base):
    for code in (
        Code.huffman({"a": 1.0}, base=base),
        Code.shannon({"a": 1.0}, base=base),
        Code.shannon_fano_elias({"a": 1.0}, base=base),
        Code.fixed("a", base=base),
    ):
        assert code.lengths.tolist() == [1]
        assert code.decode(code.encode("aaa")) == ["a", "a", "a"]
        assert code.expected_length({"a": 1.0}) == 1


@given(weights)
def test_shannon_fano_elias_words_are_the_middles_of_their_intervals(counts):
    p = [Fraction(float(x)) for x in distribution(counts)]
    total = sum(p)
    for i, word in enumerate(shannon_fano_elias_words([float(x) for x in p])):
        low, high = sum(p[:i]) / total, sum(p[: i + 1]) / total
        begin = Fraction(int(word, 2), 2 ** len(word))
        assert low <= begin
        assert begin + Fraction(1, 2 ** len(word)) <= high


def test_shannon_lengths_of_powers_are_exact():
    for k in range(1, 50):
        assert shannon_lengths([2**-k, 1 - 2**-k])[0] == k
        below = np.nextafter(2**-k, 0)
        assert shannon_lengths([below, 1 - below])[0] == k + 1
    for base in (3, 10):
        for p in np.random.default_rng(0).random(50):
            length = int(shannon_lengths([p, 1 - p], base=base)[0])
            assert Fraction(1, base**length) <= Fraction(p) < Fraction(base, base**length)
    for base in (2, 3):  # a sum above 1, as far as it is let pass, leads to no impossible code
        for p in ([1.0, 1e-17], [0.5, 0.5, 1e-9], [1 / 3, 1 / 3, 1 / 3, 1e-9]):
            code = Code.shannon(p, base=base)
            assert code.kraft_sum <= 1
            assert code.is_prefix_free
            assert code.expected_length(np.array(p) / sum(p)) < 2 + math.log2(3)
    assert fixed_lengths(8).tolist() == [3] * 8
    assert fixed_lengths(9, base=3).tolist() == [2] * 9
    assert fixed_lengths(1).tolist() == [1]


def test_canonical_words_of_deflate():
    # RFC 1951, section 3.2.2: A to H
    words = canonical_words([3, 3, 3, 3, 3, 2, 4, 4])
    assert words == ["010", "011", "100", "101", "110", "00", "1110", "1111"]
    assert canonical_words([1, 1, 1], base=3) == ["0", "1", "2"]
    assert canonical_words([70, 1])[0] == "1" + "0" * 69


@given(st.lists(st.text("01", min_size=1, max_size=4), min_size=1, max_size=5))
@settings(max_examples=300)
def test_sardinas_patterson_against_trying_all_streams(words):
    found = ambiguity(words)
    if found is None:
        assert oracles.shortest_ambiguous(words, 9) is None
        return
    assert found.first != found.second
    for way in (found.first, found.second):
        assert "".join(words[i] for i in way) == found.digits
    if len(found.digits) <= 10:
        assert oracles.shortest_ambiguous(words, len(found.digits)) == len(found.digits)


def test_ambiguous_codes_of_the_books():
    # Cover, Thomas (2006), exercise 5.27 and table 5.1
    assert ambiguity(["0", "010", "01", "10"]) is not None
    assert ambiguity(["10", "00", "11", "110"]) is None  # decodable, not prefix-free
    assert not is_prefix_free(["10", "00", "11", "110"])
    assert ambiguity(["1", "011", "01110", "1110", "10011"]).digits == "111011"
    assert ambiguity(["", "0"]) == ("", (), (0,))
    assert ambiguity(["0", "0"]) == ("0", (0,), (1,))


def test_a_million_symbols():
    rng = np.random.default_rng(0)
    p = rng.exponential(size=1_000_000) ** 3
    p /= p.sum()
    lengths = huffman_lengths(p)
    cost = code_cost(lengths, p)
    assert kraft_sum(lengths) == 1
    assert cost.entropy <= cost.expected_length < cost.entropy + 0.1
    limited = huffman_lengths(p, longest=24)
    assert limited.max() == 24
    assert kraft_sum(limited) == 1
    assert cost.expected_length < float(p @ limited) < cost.expected_length * 1.01


def test_fibonacci_weights_make_the_longest_words():
    fibonacci = [1, 1]
    while len(fibonacci) < 78:  # exact in float64
        fibonacci.append(sum(fibonacci[-2:]))
    lengths = huffman_lengths(fibonacci)
    assert lengths.tolist() == [77, *range(77, 0, -1)]
    code = Code.huffman(dict(zip(range(78), fibonacci, strict=True)))
    symbols = [0, 77, 40, 0]
    assert code.decode(code.encode(symbols)) == symbols  # words of more than 64 bits


# --- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: huffman_lengths([]), "weights must have shape"),
        (lambda: huffman_lengths([1, -2]), r"weights must be finite and at least 0.*-2.*row 1"),
        (lambda: huffman_lengths([1, math.nan]), r"weights must be finite"),
        (lambda: huffman_lengths([1, 2], base=1), "base must be at least 2"),
        (lambda: huffman_lengths([1, 2], longest=0), "longest must leave room for 2 words"),
        (lambda: shannon_lengths([0.5, 0.5, 0.0]), r"p must be above 0.*row 2"),
        (lambda: shannon_lengths([0.5, 0.4]), r"p must sum to 1; got sum 0\.9"),
        (lambda: kraft_sum([1, -1]), r"lengths must be from 0.*-1.*row 1"),
        (lambda: kraft_sum([1.5]), "lengths must be integers"),
        (lambda: code_cost([1, 1], [0.5, 0.25, 0.25]), r"source must have shape \(2,\)"),
        (lambda: code_cost([1, 1], [0.5, 0.5], [1.0]), r"design must have shape \(2,\)"),
        (lambda: code_cost([1, 1], [0.5, 0.6]), "sum to 1"),
        (lambda: blocks([0.5, 0.5], 0), "k must be at least 1"),
        (lambda: blocks([0.5, 0.5], 30), "with at most"),
        (lambda: fixed_lengths(0), "n must be at least 1"),
        (lambda: Code.fixed("aba"), r"symbols must be different; got 'a' again .*row 2"),
        (lambda: Code(["0", "1"]).encode([0, []]), r"symbols must have a word.*\[\] .*row 1"),
        (lambda: Code([]), "words must hold one word"),
        (lambda: Code({"a": "012"}), r"words must be of the digits 01; got '012' for 'a'"),
        (lambda: Code(["0"], base=40), "base must be at most 36"),
        (lambda: Code(["0", "1"]).cost({"a": 1.0}), "source must have the symbols of the code"),
        (lambda: Code(["0", "1"]).encode(["x"]), r"symbols must have a word.*'x'.*row 0"),
        (lambda: Code(["0", "1"]).encode_indices([0, 2]), r"indices must be in \[0, 2\).*row 1"),
        (lambda: Code(["0", "1"]).encode_indices([0, -1]), r"indices must be in \[0, 2\).*row 1"),
        (lambda: Code(["0", "1"]).encode_indices([0.5]), "indices must be integers"),
        (
            lambda: Code(["0", "01", "10"]).encode([0]),
            r"code must be uniquely decodable; got '010' is both \[0, 2\] and \[1, 0\]",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
