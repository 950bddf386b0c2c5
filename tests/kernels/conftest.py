import mpmath as mp
import numpy as np
import pytest

from plogq.kernels import _native, threads


@pytest.fixture(params=range(len(_native.instruction_sets())), ids=_native.instruction_sets())
def instruction_set(request, monkeypatch):
    """Every variant of the native code that this processor can run."""
    monkeypatch.setattr(threads, "INSTRUCTION_SET", request.param)


def oracle_row(x, y):
    """The statistics of one row, and the gradient of its loss, in 120 bits."""
    with mp.workprec(120):
        x = [mp.mpf(float(v)) for v in x]
        top = max(x)
        argmax = x.index(top)
        e = [mp.exp(v - top) for v in x]
        others = e[:argmax] + e[argmax + 1 :]
        rest = mp.fsum(others)
        grad = [v / (1 + rest) for v in e]
        grad[y] = -mp.fsum(e[:y] + e[y + 1 :]) / (1 + rest)
        gaps = mp.fsum(v * (top - w) for v, w in zip(e, x, strict=True) if v)
        return {
            "max": top,
            "rest": rest,
            "argmax": argmax,
            "loss": (top - x[y]) + mp.log1p(rest),
            "entropy": gaps / (1 + rest) + mp.log1p(rest),
            "rest_squares": mp.fsum(v * v for v in others),
            "gradient": grad,
        }


@pytest.fixture(scope="session")
def oracle():
    """The same for many rows: arrays of mpmath numbers."""

    def rows(logits, target):
        found = [oracle_row(x, int(y)) for x, y in zip(logits, target, strict=True)]
        return {name: np.array([row[name] for row in found], object) for name in found[0]}

    return rows


@pytest.fixture(scope="session")
def ulps():
    """The largest error in units of the last place, not finer than beside the subnormal numbers.

    A sum of terms that are subnormal has the error of each. Each number of mpmath's is split into
    two float64, 106 bits, and scaled so that neither is subnormal: differences are then exact to
    2⁻⁵³ of themselves.
    """

    def error(got, want):
        got, want = got.ravel(), want.ravel()
        assert len(got) == len(want)
        least = 128 * np.finfo(got.dtype).tiny
        unit = np.spacing(np.maximum(abs(want.astype(got.dtype)), least)).astype(np.float64)
        scale = 2.0**64
        with mp.workprec(120):
            scaled = want * scale
            near = scaled.astype(np.float64)
            rest = (scaled - near).astype(np.float64)
        off = (got.astype(np.float64) * scale - near) - rest
        return (abs(off) / (unit * scale)).max(initial=0.0)

    return error
