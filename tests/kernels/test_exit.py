"""A process ends as it should while kernels run in its other threads."""

import subprocess
import sys

import pytest

BUSY = """
import os, sys, threading, time
import numpy as np
import plogq.numpy as pn

x, y = np.ones((40, 200_000), dtype="f4"), np.zeros(40, dtype=int)
rounds = [0, 0]

def compute(i):
    while True:
        pn.cross_entropy(x, y)
        rounds[i] += 1

for i in range(2):
    threading.Thread(target=compute, args=(i,), daemon=True).start()
while min(rounds) < 1:
    time.sleep(0.001)
"""
FORK = """
child = os.fork()  # while both are inside of the kernel: the child has neither
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
pn.cross_entropy(x, y)
"""


@pytest.mark.parametrize(
    "then",
    ["", pytest.param(FORK, marks=pytest.mark.skipif(sys.platform == "win32", reason="no fork"))],
    ids=["threads", "fork"],
)
def test_daemon_threads_inside_of_a_kernel_do_not_abort_the_process(then):
    program = [sys.executable, "-W", "ignore", "-c", BUSY + then]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
