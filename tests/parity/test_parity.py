"""Every door gives the numbers of `plogq.formulas`, which mpmath is the oracle of."""

import functools

import numpy as np
import pytest

from tests.parity.cases import CASES
from tests.parity.doors import DOORS

REDUCTIONS = ("none", "sum", "mean")
# Relative errors of losses, which are float32 for the half precisions, and of gradients.
DTYPES = {
    "float64": (1e-12, 1e-10),
    "float32": (4e-6, 1e-4),
    "bfloat16": (4e-6, 1e-2),
    "float16": (4e-6, 2e-3),
}


@functools.cache
def door_of(name):
    return DOORS[name]()


@pytest.fixture
def door(request):
    return door_of(request.param)


@pytest.fixture
def case(request, door):
    found = CASES[request.param]
    if not door.has(found):
        pytest.skip("the door has not this loss")
    return found


EVERY_DOOR = pytest.mark.parametrize("door", DOORS, indirect=True)
SLOWLY = pytest.mark.parametrize(
    "door",
    [pytest.param(name, marks=[pytest.mark.slow] * door.compiled) for name, door in DOORS.items()],
    indirect=True,
)
EVERY_CASE = pytest.mark.parametrize("case", CASES, indirect=True)


def check(door, case, options, dtype="float64", reductions=REDUCTIONS, atol=1e-14):
    """Hold the losses and gradients of these options to those of the formula."""
    x = rounded(case.x, dtype)
    value, grad = case.expected(x.astype(float), **options)
    divisor = case.divisor(options, door.weights_divide)
    expected = {"none": (value, grad), "sum": (value.sum(), grad)}
    expected["mean"] = value.sum() / divisor, grad / divisor
    for reduction in reductions:
        given = {k: v for k, v in options.items() if reduction == "mean" or k != "denominator"}
        found = door.answer(case, x, dtype, reduction=reduction, **given)
        for a, b, rtol in zip(found, expected[reduction], DTYPES[dtype], strict=True):
            np.testing.assert_allclose(a, b, rtol, atol, err_msg=f"{reduction}, {[*given]}")


def rounded(x, dtype):
    """Return x in this dtype; a bfloat16 is a float32 without the last half of its bits."""
    if dtype != "bfloat16":
        return x.astype(dtype)
    return (x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


@EVERY_CASE
@EVERY_DOOR
def test_without_options(door, case):
    check(door, case, {}, reductions=("none",), atol=1e-14 if door.derived else 1e-17)


@EVERY_CASE
@SLOWLY
def test_each_argument_and_all_together(door, case):
    options = door.options(case)
    for name, value in options.items():
        check(door, case, {name: value}, reductions=("mean",) if door.compiled else REDUCTIONS)
    check(door, case, options)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@EVERY_CASE
@SLOWLY
def test_dtypes(door, case, dtype):
    if dtype in door.dtypes and dtype in case.dtypes:
        check(door, case, door.options(case), dtype, ("mean",), atol=1e-6)
