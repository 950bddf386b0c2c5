"""What the kernel refuses, and how it is called."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from plogq.kernels.threads import default_threads
from tests.kernels.calls import kernel

ROOT = Path(__file__).parents[2]
X = np.zeros((4, 3), np.float32)
Y = np.zeros(4, np.int64)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64, ">i4"])
def test_targets_of_any_integer_type(dtype):
    assert (kernel.row_statistics(X, Y.astype(dtype)).loss == np.float32(np.log(3))).all()
    strided = np.zeros(8, dtype)[::2]
    assert (kernel.row_statistics(X, strided).loss == np.float32(np.log(3))).all()


def test_targets_too_large_for_int64():
    y = np.array([0, 2**64 - 1, 0, 0], np.uint64)
    with pytest.raises(ValueError, match=r"target must .* got 18446744073709551615 .*row 1"):
        kernel.row_statistics(X, y)


@pytest.mark.parametrize(
    ("logits", "error", "message"),
    [
        ([[0.0, 1.0]], TypeError, "logits must be a NumPy array, or .* DLPack; got list"),
        (X.astype(">f4"), TypeError, "logits must be float32, float64, .*; got >f4"),
        (X.astype(int), TypeError, "logits must be float32, float64, .*; got int64"),
        (X[0], ValueError, r"logits must have shape \(rows, classes\).*got shape \(3,\)"),
        (X[:, :0], ValueError, r"classes > 0; got shape \(4, 0\)"),
    ],
)
def test_wrong_logits(logits, error, message):
    with pytest.raises(error, match=message):
        kernel.row_statistics(logits)


def test_unaligned_logits():
    packed = np.zeros(4, dtype=[("tag", "i1"), ("logits", "f4", 3)])["logits"]
    with pytest.raises(ValueError, match="logits must be aligned, with strides"):
        kernel.row_statistics(packed)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ([0, 0, 0, 0], TypeError, "target must be a NumPy array, or .* DLPack; got list"),
        (
            Y[:3],
            ValueError,
            r"target must be class indices of shape \(4,\) or .*; got shape \(3,\)",
        ),
        (X[:, :2], ValueError, r"or distributions of shape \(4, 3\); got shape \(4, 2\)"),
        (X.astype(int), TypeError, "target must be float32, float64, .*; got int64"),
        (Y.astype(float), TypeError, "target must be integers, as class indices; got float64"),
        (Y.astype(bool), TypeError, "target must be integers, as class indices; got bool"),
    ],
)
def test_wrong_target(target, error, message):
    with pytest.raises(error, match=message):
        kernel.row_statistics(X, target)


def read_only():
    out = X.copy()
    out.flags.writeable = False
    return out


def one_row_for_all():
    return np.lib.stride_tricks.as_strided(np.zeros(3, np.float32), (4, 3), (0, 4))


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([[0.0]], TypeError, "out must be a NumPy array"),
        (np.zeros((4, 3)), ValueError, "out must be like the logits, float32 .*; got float64"),
        (X[:3].copy(), ValueError, r"out must be like the logits.*got float32 \(3, 3\)"),
        (read_only(), ValueError, "out must be writable; got a read-only array"),
        (one_row_for_all(), ValueError, r"out must have a place for each element; got strides \(0"),
    ],
)
def test_wrong_out(out, error, message):
    with pytest.raises(error, match=message):
        kernel.softmax_loss(X, Y, gradient=out)


def test_overlap_in_part():
    memory = np.zeros((5, 3), np.float32)
    with pytest.raises(ValueError, match="out must be the logits or share no memory"):
        kernel.softmax_loss(memory[:4], Y, gradient=memory[1:])
    kernel.softmax_loss(memory[:4], Y, gradient=memory[:4])  # the same, by another view


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": np.float16}, "dtype must be float32 or float64; got float16"),
        ({"threads": 0}, "threads must be at least 1; got 0"),
        ({"target": Y, "ignore_index": 2**63}, "ignore_index must fit in int64"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        kernel.row_statistics(X, **options)


def test_integers_are_integers():
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        kernel.row_statistics(X, Y, threads=1.5)
    with pytest.raises(TypeError, match=r"ignore_index must be an integer; got 0\.5"):
        kernel.row_statistics(X, Y, ignore_index=0.5)


def test_numpy_integers_are_integers():
    found = kernel.row_statistics(X, Y, ignore_index=np.int32(0), threads=np.int64(2**40))
    assert not found.loss.any()


def test_wrong_row_scale():
    with pytest.raises(ValueError, match=r"row_scale must be a number or have shape \(4,\)"):
        kernel.softmax_loss(X, Y, row_scale=np.ones(3), gradient=X.copy())


def test_default_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cpus = default_threads()
    assert cpus >= 1
    for asked, given in [("1", 1), ("1,2", 1), ("100000", cpus), ("0", cpus), ("many", cpus)]:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert default_threads() == given


def longest_stop(call):
    """How long this thread stands still while `call` runs in another, as a share of the call."""
    took = []

    def timed():
        begin = time.perf_counter()
        call()
        took.append(time.perf_counter() - begin)

    thread = threading.Thread(target=timed)
    stop, last = 0.0, time.perf_counter()
    thread.start()
    while thread.is_alive():
        now = time.perf_counter()
        stop, last = max(stop, now - last), now
    return stop / took[0]


def test_other_python_threads_run_meanwhile():
    x = np.zeros((2000, 10_000), np.float32)
    held = min(longest_stop(lambda: kernel.row_statistics(x, threads=1)) for _ in range(5))
    assert held < 0.5
    # The measure can fail: a call that keeps the GIL.
    numbers = list(range(3_000_000))
    assert longest_stop(lambda: sorted(numbers, key=None, reverse=True)) > 0.5


def test_calls_from_many_python_threads():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 200)).astype(np.float32)
    y = rng.integers(0, 200, 3000)
    want = kernel.row_statistics(x, y).loss
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(kernel.row_statistics(x, y, threads=3).loss))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all((loss == want).all() for loss in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_can_call_it():
    code = """
import os, numpy as np
from tests.kernels.calls import kernel
x = np.zeros((4000, 200), np.float32)
kernel.row_statistics(x, threads=4)
child = os.fork()
kernel.row_statistics(x, threads=4)
if child:
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)
