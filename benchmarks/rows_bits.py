"""The bits of the row kernel: which processors and compilers give the same, and how far they are.

`python benchmarks/rows_bits.py` prints, of 18 results (2 precisions × 3 numbers of classes × loss,
entropy, gradient), a digest and the error in ulp against mpmath, for each instruction set;
`--save FILE` keeps them, and `--beside FILE` says where another machine's differ, by how many ulp.
The inputs are whole numbers of 2⁻¹⁴, alike on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import platform

import mpmath as mp
import numpy as np

from plogq.kernels import _native, rows, threads
from plogq.kernels.question import Options

CLASSES = (7, 130, 1000)
OUTPUTS = ("loss", "entropy", "gradient")


def inputs(dtype: type, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits within ±8 and the targets."""
    rng = np.random.default_rng(classes)
    whole = rng.integers(-(2**17), 2**17, (24, classes))
    return (whole * 2.0**-14).astype(dtype), rng.integers(0, classes, 24)


def results(dtype: type, classes: int) -> dict[str, np.ndarray]:
    """Return what the kernel computes of the inputs, by 1 and 3 threads: to the bit the same."""
    x, y = inputs(dtype, classes)
    found = []
    for count in (1, 3):
        gradient = np.empty_like(x)
        loss = rows.softmax_loss(x, y, Options(), gradient=gradient, moments=True, threads=count)
        found.append({"loss": loss.loss, "entropy": loss.entropy, "gradient": gradient})
    for name in OUTPUTS:
        assert found[0][name].tobytes() == found[1][name].tobytes(), name
    return found[0]


def exactly(dtype: type, classes: int) -> dict[str, np.ndarray]:
    """Return the same in mpmath's 120 bits."""
    found: dict[str, list[object]] = {name: [] for name in OUTPUTS}
    with mp.workprec(120):
        for row, label in zip(*inputs(dtype, classes), strict=True):
            z = [mp.mpf(float(value)) for value in row]
            lse = mp.log(mp.fsum(map(mp.exp, z)))
            p = [mp.exp(value - lse) for value in z]
            found["loss"].append(lse - z[label])
            found["entropy"].append(lse - mp.fsum(a * b for a, b in zip(p, z, strict=True)))
            p[label] = -mp.fsum(p[:label] + p[label + 1 :])
            found["gradient"].append(p)
    return {name: np.array(values, object) for name, values in found.items()}


def ulps(got: np.ndarray, want: np.ndarray) -> float:
    """Return the largest difference, in units of the last place of what is wanted."""
    unit = np.spacing(abs(want.astype(got.dtype))).astype(np.float64)
    wide = got.astype(np.float64) if want.dtype != object else got.astype(object)
    with mp.workprec(120):
        return float((abs(wide - want) / unit).max())


def main() -> None:
    """Print the table; save, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", metavar="FILE")
    parser.add_argument("--beside", metavar="FILE")
    asked = parser.parse_args()
    other = np.load(asked.beside) if asked.beside else {}
    kept = {}
    for level, name in enumerate(_native.instruction_sets()):
        threads.INSTRUCTION_SET = level
        print(f"{platform.machine()} {name}", "" if not other else f"beside {asked.beside}")
        for dtype in (np.float32, np.float64):
            for classes in CLASSES:
                exact = exactly(dtype, classes)
                for output, got in results(dtype, classes).items():
                    key = f"{np.dtype(dtype)} {classes} {output}"
                    kept[f"{name} {key}"] = got
                    digest = hashlib.sha256(got.tobytes()).hexdigest()[:12]
                    line = f"  {key:24} {digest}  {ulps(got, exact[output]):5.2f} ulp"
                    for theirs in (k for k in other if k.endswith(key)):
                        gap = ulps(got, other[theirs])
                        said = f"differs by {gap:.0f} ulp" if gap else "the same bits"
                        line += f" | {theirs.partition(' ')[0]}: {said}"
                    print(line)
    if asked.save:
        np.savez(asked.save, **kept)


if __name__ == "__main__":
    main()
