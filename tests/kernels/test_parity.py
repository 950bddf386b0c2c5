"""Every kernel that names a formula is held to it."""

import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest

from plogq import formulas
from plogq.kernels import cpu

NAMED = re.compile(r"plogq\.formulas\.(\w+)")


def by_statistics(x, y):
    """The loss alone."""
    return cpu.row_statistics(x, y).loss, None


def with_gradient(x, y):
    grad = np.empty_like(x)
    return cpu.cross_entropy(x, y, row_scale=1.0, out=grad).loss, grad


# kernel: (its formula, how to call it as (loss, gradient or None))
PARITY = {
    "row_statistics": (formulas.cross_entropy_from_logits, by_statistics),
    "cross_entropy": (formulas.cross_entropy_from_logits, with_gradient),
}


def without_parity(module):
    """The public functions that name a formula and have no row above that holds them to it."""
    missing = []
    for name in module.__all__:
        kernel = getattr(module, name)
        if not inspect.isfunction(kernel):
            continue
        held_to = {PARITY[name][0].__name__} if name in PARITY else set()
        if set(NAMED.findall(kernel.__doc__)) - held_to:
            missing.append(name)
    return missing


def test_every_kernel_has_its_row():
    assert without_parity(cpu) == []
    assert set(PARITY) <= set(cpu.__all__)


def test_a_kernel_without_a_row_is_found():
    def forgotten():
        """Faster plogq.formulas.focal_from_logits."""

    assert without_parity(SimpleNamespace(__all__=["forgotten"], forgotten=forgotten))


def rows(name, n, classes):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(n, classes)) * 4, rng.integers(0, classes, n)
    if name == "masked":
        x[rng.random((n, classes)) < 0.3] = -np.inf
        x[:, 0] = 1.5
    elif name == "extreme":
        x *= 10.0 ** rng.integers(-20, 20, (n, 1))
    elif name == "tied":
        x = x.round()
    return x, y


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("classes", [2, 10, 64, 65, 1000])
@pytest.mark.parametrize("name", ["random", "masked", "extreme", "tied"])
@pytest.mark.parametrize("kernel", PARITY)
def test_parity(kernel, name, classes):
    formula, call = PARITY[kernel]
    x, y = rows(name, 50, classes)
    want, want_grad = formula(x, y)
    loss, grad = call(x, y)
    # The formula does not carry the rounding of x − max: up to 350 ulp of a tiny probability.
    np.testing.assert_allclose(loss, want, rtol=1e-13)
    if grad is not None:
        np.testing.assert_allclose(grad, want_grad, rtol=1e-13, atol=1e-300)
    # In float32 the kernel must be no worse than the formula, against the formula in float64.
    x = x[want < np.inf].astype(np.float32)
    y = y[want < np.inf]
    want = formula(x.astype(np.float64), y).value
    error, plain = abs(call(x, y)[0] - want), abs(formula(x, y).value - want)
    assert (error <= plain + 4 * np.finfo(np.float32).eps * want).all()
