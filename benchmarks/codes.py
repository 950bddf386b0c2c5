"""`plogq.codes` beside constriction, dit, and general compressors: time, size, overhead.

Each pair of calls takes turns; medians. Prints what it measures and writes it to
benchmarks/results/codes.txt.
"""

import argparse
import gzip
import lzma
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import constriction
import numpy as np
import zstandard
from _side_by_side import machine, medians, print_and_keep

from plogq.codes import (
    Code,
    adaptive_bits,
    ambiguity,
    compress,
    compress_bytes,
    decompress,
    decompress_bytes,
    huffman_lengths,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # dit's own
    import dit
    from dit.coding import huffman as dit_huffman

RESULTS = Path(__file__).parent / "results" / "codes.txt"


def text(size: int) -> bytes:
    """Give this Python's standard library, file after file."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    found = bytearray()
    for path in files:
        found += path.read_bytes()
        if len(found) >= size:
            return bytes(found[:size])
    raise SystemExit(f"the standard library has only {len(found):,} bytes")


def table(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    q = rng.standard_gamma(0.5, size=(rows, classes)).astype(np.float32) + np.float32(1e-6)
    q /= q.sum(axis=1, keepdims=True)
    labels = (rng.random((rows, 1)) > np.cumsum(q, axis=1)[:, :-1]).sum(axis=1)
    return q, labels


def shared(symbols: int, repeats: int) -> Iterator[str]:
    q = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03])
    y = np.random.default_rng(0).choice(10, symbols, p=q)
    y32 = y.astype(np.int32)
    data, length = compress(y, q)
    model = constriction.stream.model.Categorical(q, perfect=False)

    def peer_encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(y32, model)
        return encoder.get_compressed()

    words = peer_encode()
    times = medians(
        {
            "plogq compress": lambda: compress(y, q),
            "plogq decompress": lambda: decompress(data, q),
            "constriction encode": peer_encode,
            "constriction decode": lambda: constriction.stream.queue.RangeDecoder(words).decode(
                model, symbols
            ),
        },
        repeats,
    )
    yield f"one distribution for {symbols:,} symbols of 10"
    yield from rates(times, symbols, "M symbols/s")
    exact = length.exact_bits / 8
    yield f"bytes: exact {exact:,.0f}, plogq {len(data):,}, constriction {words.nbytes:,}"
    yield f"overhead {length.overhead:.4%}"
    yield "plogq also sums the exact bits, keeps checksums and digests; constriction does not"


def tables(repeats: int, quick: bool) -> Iterator[str]:
    for rows, classes in ((100_000, 10), (100_000, 100), (1_000, 32_000)):
        q, y = table(rows // (10 if quick else 1), classes)
        rows = len(y)
        y32 = y.astype(np.int32)
        data, length = compress(y, q)
        family = constriction.stream.model.Categorical(perfect=False)

        def peer(y32=y32, q=q, family=family) -> np.ndarray:
            encoder = constriction.stream.queue.RangeEncoder()
            encoder.encode(y32, family, q)
            return encoder.get_compressed()

        words = peer()
        times = medians(
            {
                "plogq compress": lambda y=y, q=q: compress(y, q),
                "plogq decompress": lambda data=data, q=q: decompress(data, q),
                "constriction encode": peer,
                "constriction decode": lambda words=words, family=family, q=q: (
                    constriction.stream.queue.RangeDecoder(words).decode(family, q)
                ),
            },
            repeats,
        )
        yield f"a distribution for each of {rows:,} rows, {classes:,} classes, float32"
        yield from rates(times, rows * classes, "M numbers/s")
        share = {
            "quantisation": length.quantised_bits - length.exact_bits,
            "coder": length.coder_bits,
            "frame": 8 * length.framing_bytes,
        }
        parts = ", ".join(f"{k} {v / length.exact_bits:.4%}" for k, v in share.items())
        exact, coded = length.exact_bits_per_row, length.bits_per_row
        yield f"bits per row: exact {exact:.5f}, coded {coded:.5f}"
        yield f"overhead {length.overhead:.4%}: {parts}"
        yield f"bytes: plogq {len(data):,}, constriction {words.nbytes:,}"
        yield ""


def words(size: int, repeats: int) -> Iterator[str]:
    source = text(size)
    x = np.frombuffer(source, np.uint8)
    counts = np.bincount(x, minlength=256)
    code = Code.huffman(counts)
    data = code.encode_indices(x)
    times = medians(
        {
            "plogq encode": lambda: code.encode_indices(x),
            "plogq decode": lambda: code.decode_indices(data),
        },
        repeats,
    )
    part = x[: 1 + size // 100].tolist()
    book = constriction.symbol.huffman.EncoderHuffmanTree(counts.astype(np.float64))
    tree = constriction.symbol.huffman.DecoderHuffmanTree(counts.astype(np.float64))

    def peer_encode() -> tuple:
        encoder = constriction.symbol.QueueEncoder()
        for symbol in part:
            encoder.encode_symbol(symbol, book)
        return encoder.get_compressed()

    packed, _ = peer_encode()

    def peer_decode() -> None:
        decoder = constriction.symbol.QueueDecoder(packed)
        for _ in part:
            decoder.decode_symbol(tree)

    slow = medians({"constriction encode": peer_encode, "constriction decode": peer_decode}, 3)
    yield f"canonical Huffman code of {size:,} bytes of Python's standard library"
    yield from rates(times, size, "MB/s")
    yield from rates(slow, len(part), "MB/s")
    bare = float(counts @ code.lengths) / size
    yield f"{8 * len(data) / size:.4f} bits per byte, {bare:.4f} without the frame"


def lengths(repeats: int, quick: bool) -> Iterator[str]:
    rng = np.random.default_rng(0)
    yield "Huffman's lengths"
    for n in (256, 10_000, 1_000_000):
        if quick and n > 10_000:
            continue
        p = rng.exponential(size=n) ** 3
        p /= p.sum()
        peers = {}
        if n <= 256:
            d = dit.Distribution([f"{i:04d}" for i in range(n)], p)
            peers = {f"dit, {n:,} symbols": lambda d=d: dit_huffman(d)}
        if n <= 10_000:
            peers[f"constriction, {n:,} symbols"] = lambda p=p: (
                constriction.symbol.huffman.EncoderHuffmanTree(p)
            )
        longest = int(np.ceil(np.log2(n))) + 4
        times = medians(
            {
                f"plogq, {n:,} symbols": lambda p=p: huffman_lengths(p),
                f"plogq, at most {longest} digits": lambda p=p, m=longest: huffman_lengths(
                    p, longest=m
                ),
                **peers,
            },
            min(repeats, 3),
        )
        yield from (f"{name:32}{ms:12.3f} ms" for name, ms in times.items())
    many = [f"{i:010b}" for i in range(1023)] + ["11111111110", "11111111111", "111111111101"]
    times = medians({"plogq, 1,026 words": lambda: ambiguity(many)}, 1)
    yield "the shortest ambiguous stream"
    yield from (f"{name:32}{ms:12.3f} ms" for name, ms in times.items())


def streams(size: int) -> Iterator[str]:
    source = text(size)
    yield f"{len(source):,} bytes of Python's standard library"
    yield f"{'':24}{'bits/byte':>10}{'MB/s in':>10}{'MB/s out':>10}"
    coders = {
        "gzip -9": (lambda: gzip.compress(source, 9), gzip.decompress),
        "xz -9e": (
            lambda: lzma.compress(source, preset=9 | lzma.PRESET_EXTREME),
            lzma.decompress,
        ),
        "zstd -19": (
            lambda: zstandard.ZstdCompressor(level=19).compress(source),
            zstandard.ZstdDecompressor().decompress,
        ),
        **{
            f"plogq, order {k}": (
                lambda k=k: compress_bytes(source, order=k),
                decompress_bytes,
            )
            for k in range(7)
        },
    }
    for name, (pack, unpack) in coders.items():
        data = pack()
        assert unpack(data) == source
        times = medians({"in": pack, "out": lambda d=data, u=unpack: u(d)}, 1)
        mb = {way: len(source) / ms / 1e3 for way, ms in times.items()}
        bits = 8 * len(data) / len(source)
        yield f"{name:24}{bits:10.4f}{mb['in']:10.2f}{mb['out']:10.2f}"
    half, whole = adaptive_bits(source, order=5)
    first, second = (2 * bits / len(source) for bits in (half, whole - half))
    yield f"order 5: {first:.4f} bits per byte of the first half, {second:.4f} of the second"


def rates(times: dict[str, float], n: int, unit: str) -> Iterator[str]:
    yield from (f"{name:24}{n / ms / 1e3:10.2f} {unit}" for name, ms in times.items())


def lines(quick: bool) -> Iterator[str]:
    repeats = 1 if quick else 7
    yield machine("numpy", "constriction", "dit", "zstandard")
    yield "one thread each"
    yield ""
    yield from shared(100_000 if quick else 10_000_000, repeats)
    yield ""
    yield from tables(repeats, quick)
    yield from words(200_000 if quick else 10_000_000, repeats)
    yield ""
    yield from lengths(repeats, quick)
    yield ""
    yield from streams(100_000 if quick else 4_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run: little data, one round")
    quick = parser.parse_args().quick
    print_and_keep(lines(quick), None if quick else RESULTS)


if __name__ == "__main__":
    main()
