"""The kernels of two or more builds of plogq, in turns: what a compiler is worth.

`python benchmarks/compilers.py gcc=.venv/bin/python zig=build/zig/bin/python`: a name and a Python
that has plogq for each build. One thread; each round times every build once, in a new order.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time

ROUNDS = 21
WORKER = "--worker"


def cases():
    """Return what is timed, by name: a function without arguments."""
    import numpy as np

    from plogq.codes import Code
    from plogq.kernels import rows
    from plogq.kernels.hashes import lowest_hashes
    from plogq.kernels.question import Options
    from plogq.kernels.widen import widen

    rng = np.random.default_rng(0)
    found = {}
    for dtype in (np.float32, np.float64):
        for classes in (2, 10, 100, 1000, 32000):
            n = max(1, 2_000_000 // classes)
            x = rng.standard_normal((n, classes), np.float32).astype(dtype)
            y, g = rng.integers(0, classes, n), np.empty_like(x)
            name = f"{np.dtype(dtype)}, {n} × {classes}"

            def loss(x=x, y=y):
                rows.softmax_loss(x, y, Options(), threads=1)

            def both(x=x, y=y, g=g):
                rows.softmax_loss(x, y, Options(), gradient=g, threads=1)

            found |= {f"loss, {name}": loss, f"loss and gradient, {name}": both}
    halves = np.arange(2_000_000, dtype=np.uint16).view(np.float16)
    found["float16 widened"] = lambda: widen(halves)
    found["hashes of rows"] = lambda: lowest_hashes(0, 2_000_000, 7, 1 << 50)
    code = Code.huffman(rng.dirichlet(np.ones(256)))
    symbols = rng.integers(0, 256, 500_000)
    data = code.encode(symbols)
    found["Huffman, encoding"] = lambda: code.encode(symbols)
    found["Huffman, decoding"] = lambda: code.decode(data)
    return found


def work() -> None:
    """Time the case of each line that comes; the first line that goes out names them all."""
    known = cases()
    for run in known.values():
        run()
    print(json.dumps(list(known)), flush=True)
    for line in sys.stdin:
        run = known[line.rstrip("\n")]
        start = time.perf_counter()
        run()
        print(time.perf_counter() - start, flush=True)


def main() -> None:
    """Start a process of each build, and ask them in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", nargs="+", metavar="NAME=PYTHON")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    workers = {}
    for build in asked.builds:
        name, _, python = build.partition("=")
        workers[name] = subprocess.Popen([python, "-P", __file__, WORKER], **pipes)
    names, *_ = [json.loads(worker.stdout.readline()) for worker in workers.values()]
    print(f"{'median of ' + str(asked.rounds) + ', ms':48}", *(f"{name:>9}" for name in workers))
    for case in names:
        seconds = {name: [] for name in workers}
        for _ in range(asked.rounds):
            for name in random.sample(list(workers), len(workers)):
                workers[name].stdin.write(case + "\n")
                seconds[name].append(float(workers[name].stdout.readline()))
        medians = [1000 * statistics.median(times) for times in seconds.values()]
        ratios = " ".join(f"{median / medians[0]:6.2f}×" for median in medians[1:])
        print(f"{case:48}", *(f"{median:9.3f}" for median in medians), ratios, flush=True)
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()


if __name__ == "__main__":
    work() if WORKER in sys.argv else main()
