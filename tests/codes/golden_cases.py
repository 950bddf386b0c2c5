"""What the golden files hold. `python -m tests.codes.golden_cases` writes those that are missing.

They pin the format: docs/codes.md says what each byte is. A file that no longer comes out the same,
or no longer decodes, is a breaking release, with a new version number and the old one still read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plogq.codes import (
    Code,
    compress,
    compress_bytes,
    decompress,
    decompress_bytes,
)

FOLDER = Path(__file__).parent / "golden"


def table(rows: int, classes: int) -> tuple[Any, Any]:
    """Predictions and labels that no generator of random numbers can change under our feet."""
    k = np.arange(rows * classes).reshape(rows, classes)
    q = 1.0 + (k * 2654435761 % 1000)
    return q / q.sum(axis=1, keepdims=True), np.arange(rows) * 7919 % classes


def laplace(past: Any) -> Any:
    return (np.bincount(past, minlength=3) + 1) / (len(past) + 3)


Q, LABELS = table(500, 7)
LOGITS = 40 * Q  # no logarithm: its last bit is the machine's
WIDE, WIDE_LABELS = table(20, 3000)
TEXT = b"".join(b"line %d: the quick brown fox, %d times\n" % (i, i * i) for i in range(60))
ONES = b"plogq" + b"\xff" * 500_000  # all decisions for the lower part: zeros move out
WEIGHTS = {symbol: weight for weight, symbol in enumerate("plogq cde", 1)}
HUFFMAN = Code.huffman(WEIGHTS)
TERNARY = Code.huffman(WEIGHTS, base=3)
SUFFIX = Code({"a": "0", "b": "01", "c": "11"})

# name: how it is made, how it is read, what it holds
CASES: dict[str, tuple[Callable[[], bytes], Callable[[bytes], Any], Any]] = {
    "table": (lambda: compress(LABELS, Q)[0], lambda d: decompress(d, Q), LABELS),
    "table_float32": (
        lambda: compress(LABELS, Q.astype(np.float32))[0],
        lambda d: decompress(d, Q.astype(np.float32)),
        LABELS,
    ),
    "table_wide": (
        lambda: compress(WIDE_LABELS, WIDE)[0],
        lambda d: decompress(d, WIDE),
        WIDE_LABELS,
    ),
    "table_logits": (
        lambda: compress(LABELS, LOGITS, kind="logits")[0],
        lambda d: decompress(d, LOGITS, kind="logits"),
        LABELS,
    ),
    "table_empty": (
        lambda: compress(LABELS[:0], Q[:0])[0],
        lambda d: decompress(d, Q[:0]),
        LABELS[:0],
    ),
    "shared": (lambda: compress(LABELS, Q[0])[0], lambda d: decompress(d, Q[0]), LABELS),
    "adaptive": (
        lambda: compress(LABELS % 3, laplace)[0],
        lambda d: decompress(d, laplace),
        LABELS % 3,
    ),
    "huffman": (
        lambda: HUFFMAN.encode("code pop gelode" * 9),
        HUFFMAN.decode,
        list("code pop gelode" * 9),
    ),
    "ternary": (lambda: TERNARY.encode("plogq code"), TERNARY.decode, list("plogq code")),
    "not_prefix_free": (lambda: SUFFIX.encode("abcacb"), SUFFIX.decode, list("abcacb")),
    **{
        f"bytes_{order}": (
            lambda order=order: compress_bytes(TEXT, order=order),
            decompress_bytes,
            TEXT,
        )
        for order in range(7)
    },
    "bytes_of_ones": (lambda: compress_bytes(ONES), decompress_bytes, ONES),
    "bytes_empty": (lambda: compress_bytes(b""), decompress_bytes, b""),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (make, _, _) in CASES.items():
        path = FOLDER / f"{name}.plq"
        if not path.exists():
            path.write_bytes(make())


if __name__ == "__main__":
    main()
