"""Streams as they are: counted by hand, coded and decoded, and set beside general compressors."""

import gzip
import json
import lzma
import math
import random
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from plogq.codes import (
    Code,
    CodeError,
    adaptive_bits,
    compress_bytes,
    compressibility,
    decompress_bytes,
    empirical_entropies,
    empirical_entropy,
)
from plogq.codes.container import pack, varint

TEXT = Path(json.__file__).with_name("decoder.py").read_bytes()


def by_hand(stream, k):
    """H_k from its definition."""
    n = defaultdict(Counter)
    for i in range(k, len(stream)):
        n[tuple(stream[i - k : i])][stream[i]] += 1
    bits = -sum(
        count * math.log2(count / sum(after.values()))
        for after in n.values()
        for count in after.values()
    )
    return bits / (len(stream) - k) if len(stream) > k else 0.0


@given(st.binary(max_size=200) | st.text("ab", max_size=60).map(str.encode), st.integers(0, 5))
def test_empirical_entropy_is_what_counting_gives(data, most):
    found = empirical_entropies(data, most)
    assert found == pytest.approx([by_hand(data, k) for k in range(most + 1)], abs=1e-12)
    assert empirical_entropy(data, most) == found[most]


def test_empirical_entropy_of_other_symbols():
    words = ["the", "cat", "and", "the", "dog", "and", "the", "cat"]
    assert empirical_entropy(words, 1) == pytest.approx(by_hand(words, 1))
    assert empirical_entropies(np.array([3, 3, -1, 3]), 9)[4:] == [0.0] * 6
    with pytest.raises(ValueError, match="order must be at least 0"):
        empirical_entropy(b"", -1)
    with pytest.raises(ValueError, match=r"stream must have shape \(n,\)"):
        empirical_entropy([[1]])


@given(
    st.binary(max_size=400)
    | st.text("abc", max_size=400).map(str.encode)
    | st.integers(0, 3000).map(lambda n: b"\xff" * n),
    st.integers(0, 6),
)
@settings(max_examples=200)
def test_round_trip(data, order):
    coded = compress_bytes(data, order=order)
    assert decompress_bytes(coded) == data
    _, bits = adaptive_bits(data, order=order)
    frame = 4 + 2 + len(varint(len(data))) + 1 + 4 + 4
    payload = len(coded) - frame
    # As long as the model's own code length, but for zeros at the very end that go unsaid.
    assert bits / 8 - 4 <= payload <= bits / 8 + 2


def kt_bits(data, order):
    """Σ −log₂ of (n₁ + p)/(n + 1) in units of 2⁻¹⁶, decision by decision."""
    counts = defaultdict(lambda: [0, 0])
    total = mp.mpf(0)
    for i, byte in enumerate(data):
        node = 1
        for shift in range(7, -1, -1):
            bit, one = byte >> shift & 1, mp.mpf(1) / 2
            for k in range(order + 1):
                n = counts[k, (bytes(order) + data[:i])[len(data[:i]) + order - k :], node]
                one = (n[1] + one) / (sum(n) + 1)
            one = min(max(mp.floor(one * 2**16), 1), 2**16 - 1) / 2**16
            total -= mp.log(one if bit else 1 - one, 2)
            for k in range(order + 1):
                counts[k, (bytes(order) + data[:i])[len(data[:i]) + order - k :], node][bit] += 1
            node = 2 * node + bit
    return total


@pytest.mark.parametrize("order", [0, 1, 2, 6])
def test_adaptive_code_length_is_the_formulas(order):
    data = TEXT[:1500]
    _, bits = adaptive_bits(data, order=order)
    assert bits == pytest.approx(float(kt_bits(data, order)), abs=0.5)


def test_order_0_is_krichevsky_and_trofimov_in_closed_form():
    data = TEXT[:4000]
    bits = 0.0
    for depth in range(8):
        for prefix, n in Counter(byte >> (8 - depth) for byte in data).items():
            ones = sum(byte >> (7 - depth) == 2 * prefix + 1 for byte in data)
            nats = math.lgamma(n + 1) + 2 * math.lgamma(0.5)
            nats -= math.lgamma(ones + 0.5) + math.lgamma(n - ones + 0.5)
            bits += nats / math.log(2)
    assert adaptive_bits(data, order=0)[1] == pytest.approx(bits, rel=1e-3)


@pytest.mark.parametrize("order", [0, 2])
@pytest.mark.parametrize("begin", [b"", b"\0", TEXT[:500]])
def test_a_long_run_of_what_costs_nothing_but_zeros(begin, order):
    data = begin + b"\xff" * 1_500_000  # as flash memory ends
    coded = compress_bytes(data, order=order)
    assert decompress_bytes(coded) == data
    assert adaptive_bits(data, order=order)[1] / 8 <= len(coded) < len(data) / 1000


def test_counts_are_halved_in_time():
    data = bytes(70_000) + b"\1" * 1000
    assert decompress_bytes(compress_bytes(data, order=1)) == data


def test_when_there_is_no_more_room_for_contexts():
    """2²² blocks are full after some 300,000 random bytes at order 6; the coders agree on it."""
    data = random.Random(1).randbytes(400_000) + TEXT
    coded = compress_bytes(data, order=6)
    assert decompress_bytes(coded) == data
    assert len(coded) < 1.1 * len(data)


def test_random_bytes_cannot_be_compressed_and_text_can():
    noise = random.Random(0).randbytes(30_000)
    found = compressibility(noise, orders=2)
    assert min(found.adaptive) > len(noise)
    assert found.entropy_rate > 7.99
    assert all(other.bytes > len(noise) for other in found.others)
    found = compressibility(TEXT, orders=5)
    assert found.size == len(TEXT)
    assert found.empirical == sorted(found.empirical, reverse=True)
    assert found.adaptive[found.best_order] == min(found.adaptive) < 0.3 * len(TEXT)
    assert found.entropy_rate < found.bits_per_byte(min(found.adaptive))
    assert found.empirical[0] * len(TEXT) / 8 < found.huffman < (found.empirical[0] + 1) * len(TEXT)
    sizes = {other.name: other.bytes for other in found.others}
    assert sizes["gzip -9"] == len(gzip.compress(TEXT, 9))
    assert sizes["xz -9e"] == len(lzma.compress(TEXT, preset=9 | lzma.PRESET_EXTREME))
    assert found.adaptive[found.best_order] < sizes["gzip -9"]
    for order, size in enumerate(found.adaptive):
        assert abs(len(compress_bytes(TEXT, order=order)) - size) <= 2


@pytest.mark.parametrize("size", [1000, 1001])
def test_figures_are_what_they_are_said_to_be(size):
    found = compressibility(TEXT[:size], orders=2)
    counts = Counter(TEXT[:size])
    bits = sum(n * len(Code.huffman(counts)[s]) for s, n in counts.items())
    assert found.huffman == math.ceil((bits + 5 * 256) / 8)
    later = []
    for order in range(3):
        half, whole = adaptive_bits(TEXT[:size], order=order)
        later.append((whole - half) / (size - size // 2))
    assert found.entropy_rate == min(later)


def test_entropy_rate_of_a_known_source():
    # A fair coin that repeats each outcome twice: ½ bit per symbol, which order 0 cannot see.
    coin = random.Random(0)
    data = b"".join(coin.choice((b"aa", b"bb")) for _ in range(20_000))
    found = compressibility(data, orders=3)
    assert found.empirical[0] == pytest.approx(1.0, abs=0.001)
    assert 0.5 < found.entropy_rate < 1.0


def test_nothing():
    found = compressibility(b"", orders=1)
    assert (found.size, found.adaptive, found.huffman, found.entropy_rate) == (0, [16, 16], 0, 0.0)
    assert found.bits_per_byte(7) == 0.0


def test_progress_reaches_the_end():
    seen = []
    compress_bytes(bytes(200_000), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (200_000, 200_000)
    assert len(seen) > 2
    seen.clear()
    decompress_bytes(compress_bytes(bytes(200_000)), progress=lambda *step: seen.append(step))
    assert seen[-1] == (200_000, 200_000)
    seen.clear()
    compressibility(bytes(1000), orders=2, progress=lambda *step: seen.append(step))
    assert seen[-1] == (3000, 3000)


def test_orders_that_are_none():
    for order in (-1, 7):
        with pytest.raises(ValueError, match="order must be 0 to 6"):
            compress_bytes(b"a", order=order)
    with pytest.raises(TypeError, match="integer"):
        compress_bytes(b"a", order=1.5)


def test_bytes_are_bytes_or_hold_them():
    for kind in (bytes, bytearray, memoryview):
        coded = compress_bytes(kind(TEXT))
        assert decompress_bytes(kind(coded)) == TEXT
        assert adaptive_bits(kind(TEXT)) == adaptive_bits(TEXT)
    for wrong in ("text", 5, None):
        with pytest.raises(TypeError, match="data must be bytes"):
            compress_bytes(wrong)
        with pytest.raises(TypeError, match="data must be bytes"):
            decompress_bytes(wrong)


def test_a_count_that_the_payload_cannot_hold_is_refused_at_once():
    fields = varint(2**62) + bytes([2]) + zlib.crc32(b"").to_bytes(4, "little")
    with pytest.raises(CodeError, match="do not fit together"):
        decompress_bytes(pack(b"b", fields, b"abc"))
    with pytest.raises(CodeError, match="do not fit together"):
        decompress_bytes(pack(b"b", varint(1) + bytes([7]) + bytes(4), b"a"))
    with pytest.raises(CodeError, match=r"other bytes than were coded|ends before"):
        decompress_bytes(pack(b"b", varint(100_000) + bytes([0]) + bytes(4), b"abc"))
