"""Every kernel that shares its work among threads, called from several Python threads at once.

Run by `python -m tests.sanitize thread`, whose sanitizer ends the process at a data race. The sums
must also be those of one thread, to the last bit.
"""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import plogq.numpy as pn
from plogq.codes import compress_bytes, decompress_bytes
from plogq.kernels import threads as machine
from plogq.kernels.elements import binary_loss
from plogq.kernels.exact_sum import ExactSums
from plogq.kernels.rows import row_statistics, softmax_loss

CALLERS, ROUNDS = 4, 3
WIDE = np.random.default_rng(0).normal(size=(40, 30_000)).astype(np.float32)
LONG = np.random.default_rng(1).normal(size=(60_000, 10)).astype(np.float32)
LABELS = np.arange(len(LONG)) % 10


@pytest.fixture(autouse=True)
def many_threads(monkeypatch):
    monkeypatch.setattr(machine, "default_threads", lambda: 4)


def at_once(call):
    """Call a function in several threads, and give what each of them got."""
    found = [None] * CALLERS
    start = threading.Barrier(CALLERS)

    def run(i):
        start.wait()
        for _ in range(ROUNDS):
            found[i] = call()

    callers = [threading.Thread(target=run, args=(i,)) for i in range(CALLERS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    return found


@pytest.mark.parametrize("logits", [WIDE, LONG, LONG.astype(np.float64), LONG.astype(np.float16)])
def test_rows(logits):
    target = LABELS[: len(logits)]

    def call():
        gradient = np.empty_like(logits)
        found = softmax_loss(logits, target, gradient=gradient, threads=4)
        moments = row_statistics(logits, target, moments=True, threads=4)
        return found.loss.tobytes(), gradient.tobytes(), moments.entropy.tobytes()

    one = softmax_loss(logits, target, threads=1).loss.tobytes()
    got = at_once(call)
    assert {each[0] for each in got} == {one}
    assert len({each[1:] for each in got}) == 1


def test_a_bad_row_is_the_first_for_any_thread():
    logits = LONG.copy()
    logits[[17, 40_000, 59_999], 3] = np.nan
    said = set()

    def call():
        with pytest.raises(ValueError, match="row 17") as caught:
            softmax_loss(logits, LABELS, threads=4)
        said.add(str(caught.value))

    at_once(call)
    assert len(said) == 1


def test_elements():
    t = (LONG > 0).astype(np.float32)
    got = at_once(lambda: binary_loss(LONG, t, threads=4))
    assert set(got) == {binary_loss(LONG, t, threads=1)}


def test_sums_and_doors():
    values = LONG.ravel().astype(np.float64)

    def call():
        sums = ExactSums(3)
        sums.add(values, np.arange(len(values)) % 3)
        return sums.values().tobytes(), float(pn.cross_entropy(LONG, LABELS))

    assert len(set(at_once(call))) == 1


def test_codes():
    data = bytes(range(256)) * 20
    assert set(at_once(lambda: decompress_bytes(compress_bytes(data, order=2)))) == {data}


RACE = """
import threading
import numpy as np
from plogq.kernels.rows import softmax_loss

x, y = np.zeros((4000, 100), np.float32), np.zeros(4000, np.int64)
gradient, start = np.empty_like(x), threading.Barrier(2)

def call():
    start.wait()
    for _ in range(20):
        softmax_loss(x, y, gradient=gradient, threads=1)

for each in [threading.Thread(target=call) for _ in range(2)]:
    each.start()
"""


def test_a_race_ends_the_process():
    """Two callers share the memory of their gradients: the sanitizer is there, and sees it."""
    assert "libtsan" in Path("/proc/self/maps").read_text()
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ThreadSanitizer: data race" in done.stderr
