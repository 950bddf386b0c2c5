"""Every kernel on arrays of every layout and odd size, each in memory of its very own size.

Other tests say what the numbers are; here a sanitizer says that nothing beside the arrays is read
or written. Run by `python -m tests.sanitize address`.
"""

import itertools
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plogq.kernels import _native, threads
from plogq.kernels.elements import binary_loss
from plogq.kernels.exact_sum import ExactSums
from plogq.kernels.hashes import lowest_hashes
from plogq.kernels.question import Options
from plogq.kernels.row_figures import row_figures
from plogq.kernels.rows import reduced_softmax_loss, row_statistics, softmax_loss
from plogq.kernels.sums import Counts, Sums, sum_rows
from plogq.kernels.widen import widen

SETS = range(len(_native.instruction_sets()))
DTYPES = ("float32", "float64", "float16")  # bfloat16 needs a framework: tests/kernels/test_half.py
CLASSES = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130)
ROWS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 33)


@pytest.fixture(params=SETS, ids=_native.instruction_sets())
def instruction_set(request, monkeypatch):
    monkeypatch.setattr(threads, "INSTRUCTION_SET", request.param)


def own(array):
    """Give a copy whose memory ends where the array ends: the sanitizer watches what is behind."""
    return np.frombuffer(bytearray(array.tobytes()), array.dtype).reshape(array.shape)


def layout(x, kind):
    """Give the same numbers in another order of memory."""
    if kind == "rows":
        return own(x)
    if kind == "columns":
        return own(np.ascontiguousarray(x.T)).T
    if kind == "backwards":
        return own(x[::-1, ::-1].copy())[::-1, ::-1]
    wide = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    wide[::2, ::3] = x
    return own(wide)[::2, ::3]


def logits_of(rng, rows, classes, dtype, spread):
    x = np.array([[rng.gauss(0, spread) for _ in range(classes)] for _ in range(rows)])
    if rng.random() < 0.3 and classes > 1:
        x.reshape(rows, classes)[:, rng.randrange(classes)] = -np.inf
    return x.reshape(rows, classes).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows(instruction_set, dtype):
    rng, kind = random.Random(dtype), np.dtype(dtype)
    layouts = ("rows", "columns", "backwards", "spread")
    for rows, classes in itertools.product(ROWS, CLASSES):
        x = layout(logits_of(rng, rows, classes, kind, rng.choice((1, 30))), rng.choice(layouts))
        live = np.isfinite(x.astype(np.float64))
        target = own(np.array([rng.choice(np.flatnonzero(row)) for row in live], np.int64))
        if rows > 2:
            target[1] = -100
        arithmetic = np.float64 if kind == np.float64 else np.float32
        weight = own(np.ones(classes, arithmetic)) if rng.random() < 0.3 else None
        options = rng.choice(
            (Options(), Options(gamma=2.0), Options(temperature=0.7, z_loss=0.1),
             Options(label_smoothing=0.1))
        )  # fmt: skip
        if options.label_smoothing and not live.all():
            options = Options()
        row_statistics(x, target, ignore_index=-100, moments=True, threads=2)
        gradient = layout(np.zeros_like(x), rng.choice(layouts))
        found = softmax_loss(
            x, target, options, weight=weight, ignore_index=-100, gradient=gradient, threads=2
        )
        reduced_softmax_loss(x, target, options, weight=weight, ignore_index=-100)
        soft = np.full((rows, classes), 1 / classes, arithmetic) * live
        soft /= np.maximum(soft.sum(axis=1, keepdims=True), 1e-9)
        again = softmax_loss(x, layout(soft.astype(arithmetic), rng.choice(layouts)), threads=1)
        assert len(found.loss) == len(again.loss) == rows


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements(instruction_set, dtype):
    rng, kind = random.Random(dtype), np.dtype(dtype)
    arithmetic = np.float64 if kind == np.float64 else np.float32
    for rows, columns in itertools.product(ROWS, (1, 3, 8, 17, 64)):
        x = own(logits_of(rng, rows, columns, kind, 30))
        t = own(np.full_like(x, 0.25))
        weight = own(np.ones(columns, arithmetic))
        binary_loss(
            x, t, pos_weight=weight, weight=own(np.ones(x.shape, arithmetic)),
            losses=own(np.zeros(x.shape, arithmetic)), gradient=own(np.zeros_like(x)),
        )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_figures_and_sums(instruction_set, dtype):
    rng = random.Random(dtype)
    for rows, classes in itertools.product(ROWS, (1, 2, 3, 8, 17, 64, 65)):
        x = logits_of(rng, rows, classes, dtype, rng.choice((1, 300)))
        target = own(np.array([int(np.argmax(row)) for row in x], np.int64))
        for given in (own(x), tuple(own(column) for column in x.T.copy())):
            row_figures(given, target)
            if classes > 64:
                continue
            counts = Counts(
                *(own(np.zeros(n, np.int64)) for n in (5, 5 * classes, classes**2, 10, 130))
            )
            sums = Sums(*(ExactSums(n) for n in (5, 5, 5, 5, classes**2, 10, 10)))
            bucket = own(np.array([rng.randrange(5) for _ in range(rows)], np.int64))
            sum_rows(given, target, bucket, counts, sums, surprisal_width=0.5, most_in_bucket=rows)


def test_sums_hashes_and_halves(instruction_set):
    rng = random.Random(0)
    for n in (*ROWS, 1000):
        values = own(np.array([rng.gauss(0, 10.0 ** rng.randrange(-20, 20)) for _ in range(n)]))
        group = own(np.array([rng.randrange(7) for _ in range(n)], np.int64))
        sums = ExactSums(7)
        sums.add(values, group)
        assert len(sums.values()) == 7
        lowest_hashes(3, n, 1, 1 << 62)
        widen(own(np.arange(n, dtype=np.float16)))


BEYOND = """
import numpy as np
from plogq.kernels.rows import row_statistics
x = np.frombuffer(bytearray(4 * 64), np.float32)
row_statistics(np.lib.stride_tricks.as_strided(x, (4, 64), (256, 4)), np.zeros(4, np.int64))
"""


def test_a_read_beyond_the_memory_ends_the_process():
    """The numbers of a forged array lie beyond its memory: the sanitizer is there, and sees it."""
    assert "libasan" in Path("/proc/self/maps").read_text()
    done = subprocess.run(
        [sys.executable, "-c", BEYOND], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
    assert "row" in done.stderr.split("#1")[1]
