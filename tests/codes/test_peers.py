"""Beside dit, constriction and zstandard: the same lengths, the same verdicts, the same bits."""

import warnings

import numpy as np
import pytest

from plogq.codes import Code, compress, compressibility, huffman_lengths, kraft_sum
from plogq.codes.quantised import quantise
from tests.optional import optional

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # dit's own
    dit, coding = optional("dit"), optional("dit.coding")


def sources():
    rng = np.random.default_rng(0)
    for n in (2, 3, 5, 8, 12):
        for sharpness in (0.3, 1.0, 3.0):
            yield rng.dirichlet(np.full(n, 1 / sharpness))


def as_dit(p):
    return dit.Distribution([chr(97 + i) for i in range(len(p))], p)


@pytest.mark.parametrize("base", [2, 3, 4])
def test_dit_huffman(base):
    for p in sources():
        peer = coding.huffman(as_dit(p), radix=base)
        ours = Code.huffman(p, base=base)
        assert ours.expected_length(p) == pytest.approx(peer.average_length(), rel=1e-12)
        assert float(ours.kraft_sum) == pytest.approx(peer.kraft_sum())


def test_dit_length_limited_and_shannon_fano_elias():
    for p in sources():
        longest = int(np.ceil(np.log2(len(p)))) + 1
        peer = coding.length_limited_huffman(as_dit(p), longest)
        lengths = huffman_lengths(p, longest=longest)
        assert float(p @ lengths) == pytest.approx(peer.average_length(), rel=1e-12)
        elias = coding.shannon_fano_elias(as_dit(p))
        ours = Code.shannon_fano_elias(p)
        assert ours.expected_length(p) == pytest.approx(elias.average_length(), rel=1e-12)


def test_dit_judges_codes_alike():
    rng = np.random.default_rng(1)
    judged = []
    for _ in range(300):
        words = {
            "".join(rng.choice(["0", "1"], rng.integers(1, 5))) for _ in range(rng.integers(2, 6))
        }
        ours, peer = Code(sorted(words)), coding.SymbolCode(dict(enumerate(sorted(words))))
        assert ours.is_prefix_free == peer.is_prefix_free()
        assert ours.is_uniquely_decodable == peer.is_uniquely_decodable()
        assert float(kraft_sum(ours.lengths)) == peer.kraft_sum()
        judged.append((ours.is_prefix_free, ours.is_uniquely_decodable))
    assert set(judged) == {(True, True), (False, True), (False, False)}


def test_constriction_huffman_spends_as_many_bits():
    constriction = pytest.importorskip("constriction")
    for p in sources():
        symbols = np.random.default_rng(2).choice(len(p), 500, p=p)
        book = constriction.symbol.huffman.EncoderHuffmanTree(p)
        encoder = constriction.symbol.QueueEncoder()
        for symbol in symbols.tolist():
            encoder.encode_symbol(symbol, book)
        bits = encoder.get_compressed()[1]
        lengths = huffman_lengths(p)
        # Two optimal codes may differ word by word, but not on the source.
        own = [len(_word(constriction, book, s)) for s in range(len(p))]
        assert float(p @ own) == pytest.approx(float(p @ lengths), rel=1e-12)
        assert bits == sum(own[s] for s in symbols.tolist())


def _word(constriction, book, symbol):
    encoder = constriction.symbol.QueueEncoder()
    encoder.encode_symbol(symbol, book)
    return "x" * encoder.get_compressed()[1]


def test_constriction_alone_writes_the_same_payload():
    """Our quantisation, its `fast` one, and the bits of both."""
    constriction = pytest.importorskip("constriction")
    rng = np.random.default_rng(3)
    q = rng.dirichlet(np.ones(10), size=2000)
    labels = (rng.random((2000, 1)) > np.cumsum(q, axis=1)[:, :-1]).sum(axis=1)
    family = constriction.stream.model.Categorical(perfect=False)
    encoder = constriction.stream.queue.RangeEncoder()
    encoder.encode(labels.astype(np.int32), family, q)
    data, length = compress(labels, q)
    assert abs(length.payload_bytes - encoder.get_compressed().nbytes) <= 4
    # and the weights that it is given are those that it codes with, symbol by symbol
    weights = quantise(q[:50]).weights
    for row, own in zip(weights, labels[:50].tolist(), strict=True):
        model = constriction.stream.model.Categorical(row, perfect=False)
        one = constriction.stream.queue.RangeEncoder()
        n = 1000
        one.encode(np.full(n, own, np.int32), model)
        bits = n * (24 - np.log2(float(row[own]) + 1))
        assert one.num_bits() == pytest.approx(bits, rel=2e-4, abs=64)
    assert len(data) == length.bytes


def test_zstandard_is_what_the_table_says():
    zstandard = pytest.importorskip("zstandard")
    text = b"the quick brown fox jumps over the lazy dog; " * 300
    sizes = {other.name: other.bytes for other in compressibility(text, orders=0).others}
    peer = len(zstandard.ZstdCompressor(level=19).compress(text))
    assert abs(sizes["zstd -19"] - peer) <= 16  # their frames differ
