"""Every kernel that names a formula is held to it."""

import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace

import numpy as np
import pytest

from plogq import formulas, kernels
from plogq.kernels import elements, row_figures
from tests.kernels.calls import kernel

MODULES = [
    importlib.import_module(f"plogq.kernels.{module.name}")
    for module in pkgutil.iter_modules(kernels.__path__)
    if not module.name.startswith("_")
]
MODULES = [module for module in MODULES if hasattr(module, "__all__")]  # the others serve them

NAMED = re.compile(r"plogq\.formulas\.(\w+)")


def by_statistics(x, y):
    """The loss alone."""
    return kernel.row_statistics(x, y).loss, None


def by_softmax_loss(**options):
    def call(x, y):
        grad = np.empty_like(x)
        return kernel.softmax_loss(x, y, gradient=grad, **options).loss, grad

    return call


def z_loss_alone(x, y):
    """The kernel adds the loss of a target: one that weighs nothing."""
    return by_softmax_loss(z_loss=1.0, weight=np.zeros(x.shape[1]))(x, y)


def z_loss_formula(x, y):
    """Targets are no argument of it."""
    return formulas.z_loss_from_logits(x)


def binary_target(x, y):
    return np.array(np.broadcast_to(y[:, None] % 2, x.shape), x.dtype)


def by_binary_loss(x, y):
    losses, grad = np.empty_like(x), np.empty_like(x)
    elements.binary_loss(x, binary_target(x, y), losses=losses, gradient=grad)
    return losses.sum(axis=1), grad


def figure(name):
    """One of the figures, of columns as well as of rows."""

    def call(x, y):
        of_rows, of_columns = row_figures.row_figures(x, y), row_figures.row_figures(tuple(x.T), y)
        np.testing.assert_array_equal(of_rows, of_columns)
        return getattr(of_rows, name), None

    return call


def binary_formula(x, y):
    each, grad = formulas.binary_cross_entropy_from_logits(x, binary_target(x, y))
    return formulas.ValueAndGrad(each.sum(axis=1), grad)


# kernel, its formula, how to call the formula, how to call the kernel as (loss, gradient or None)
CROSS_ENTROPY = formulas.cross_entropy_from_logits
PARITY = [
    ("row_statistics", "cross_entropy_from_logits", CROSS_ENTROPY, by_statistics),
    ("softmax_loss", "cross_entropy_from_logits", CROSS_ENTROPY, by_softmax_loss()),
    ("softmax_loss", "focal_from_logits", formulas.focal_from_logits, by_softmax_loss(gamma=2.0)),
    ("softmax_loss", "z_loss_from_logits", z_loss_formula, z_loss_alone),
    ("row_figures", "cross_entropy_from_logits", CROSS_ENTROPY, figure("surprisal")),
    (
        "row_figures",
        "squared_error_from_logits",
        formulas.squared_error_from_logits,
        figure("brier"),
    ),
    ("binary_loss", "binary_cross_entropy_from_logits", binary_formula, by_binary_loss),
]


def without_parity(module):
    """The public functions that name a formula and have no row above that holds them to it."""
    missing = []
    for name in module.__all__:
        kernel = getattr(module, name)
        if not inspect.isfunction(kernel):
            continue
        held_to = {formula for of, formula, *_ in PARITY if of == name}
        if set(NAMED.findall(kernel.__doc__)) - held_to:
            missing.append(name)
    return missing


def test_every_kernel_has_its_row():
    assert [name for module in MODULES for name in without_parity(module)] == []
    assert {name for name, *_ in PARITY} <= {name for module in MODULES for name in module.__all__}


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
        x *= 10.0 ** rng.integers(-20, 17, (n, 1))  # squares are finite in float32
    elif name == "tied":
        x = x.round()
    return x, y


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("classes", [2, 10, 64, 65, 1000])
@pytest.mark.parametrize("name", ["random", "masked", "extreme", "tied"])
@pytest.mark.parametrize("row", PARITY, ids=lambda row: f"{row[0]}: {row[1]}")
def test_parity(row, name, classes):
    *_, formula, call = row
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
