"""The same numbers, in the caller's own library, from every kind of array."""

import inspect

import numpy as np
import pytest

from plogq import formulas
from tests.formulas.backends import BACKENDS, JAX, TORCH, flat, to_numpy
from tests.formulas.calls import CALLS, LOSSES, OF_FLOATS, SPLIT
from tests.formulas.names import FUNCTIONS
from tests.optional import optional

jax = optional("jax")

each_backend = pytest.mark.parametrize("backend", BACKENDS, ids=str)
each_call = pytest.mark.parametrize("call", CALLS, ids=str)
each_of_floats = pytest.mark.parametrize("call", OF_FLOATS, ids=str)
each_with_classes = pytest.mark.parametrize("call", [c for c in CALLS if c.classes], ids=str)


def assert_same(got, expected, rtol=1e-12):
    for ours, right in zip(flat(got), flat(expected), strict=True):
        assert tuple(ours.shape) == right.shape
        np.testing.assert_allclose(to_numpy(ours), to_numpy(right), rtol=rtol, atol=1e-300)


def test_every_function_of_arrays_is_called():
    of_no_array = {name for name in FUNCTIONS if name.startswith("density_")} | {"from_nats"}
    assert {call.name for call in CALLS} == FUNCTIONS - of_no_array


@pytest.mark.matrix
@each_backend
@each_call
def test_same_numbers_in_the_same_library(backend, call):
    args = [backend.asarray(x) for x in call.args]
    got = call.function(*args)
    assert_same(got, call.function(*call.args))
    for ours, numpy in zip(flat(got), flat(call.function(*call.args)), strict=True):
        assert isinstance(ours, backend.array_types)
        assert ours.dtype == getattr(backend.xp, numpy.dtype.name)


@each_backend
@each_of_floats
def test_float32_stays_float32(backend, call):
    got = call.function(*(backend.asarray(x, "float32") for x in call.args))
    assert all(x.dtype == backend.xp.float32 for x in flat(got))
    assert_same(
        got,
        call.function(*(np.float32(x) if x.dtype.kind == "f" else x for x in call.args)),
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    ("backend", "half"), [(b, half) for b in BACKENDS for half in b.halves], ids=str
)
@each_of_floats
def test_half_precision_gives_float32_and_its_own_gradient(backend, half, call):
    args = [backend.asarray(x, half) for x in call.args]
    got = call.function(*args)
    wide = call.function(
        *(
            backend.asarray(to_numpy(x), "float32") if a.dtype.kind == "f" else x
            for x, a in zip(args, call.args, strict=True)
        )
    )
    if call in LOSSES:
        assert got.value.dtype == backend.xp.float32
        assert got.grad.dtype == getattr(backend.xp, half)
        assert_same(got.value, wide.value, rtol=0)
        np.testing.assert_allclose(to_numpy(got.grad), to_numpy(wide.grad), rtol=2**-8, atol=1e-7)
    else:
        assert all(x.dtype == backend.xp.float32 for x in flat(got))
        assert_same(got, wide, rtol=0)


@each_backend
@each_with_classes
def test_classes_on_any_axis(backend, call):
    assert "axis" in inspect.signature(call.function).parameters
    moved = [np.moveaxis(x, -1, 0) if k in call.classes else x for k, x in enumerate(call.args)]
    got = call.function(*map(backend.asarray, moved), axis=0)
    for ours, right in zip(flat(got), flat(call.function(*call.args)), strict=True):
        assert_same(ours, right.T)


@each_call
def test_lists_are_taken(call):
    assert_same(call.function(*(x.tolist() for x in call.args)), call.function(*call.args))


@each_call
def test_strided_read_only_inputs_are_left_alone(call):
    strided = [np.repeat(x, 2, axis=-1)[..., ::2] for x in call.args]
    for x in strided:
        x.flags.writeable = False
    assert_same(call.function(*strided), call.function(*call.args))


@each_call
def test_tensors_are_left_alone(call):
    args = [TORCH.asarray(np.repeat(x, 2, axis=-1))[..., ::2] for x in call.args]
    before = [x.clone() for x in args]
    call.function(*args)
    for x, old in zip(args, before, strict=True):
        assert x.equal(old)


@each_backend
@each_of_floats
def test_no_rows_give_no_rows(backend, call):
    got = call.function(*(backend.asarray(x)[:0, ...] for x in call.args))
    assert {x.shape[0] for x in flat(got)} == {0}


@each_backend
@each_with_classes
def test_no_classes_are_refused(backend, call):
    args = [
        backend.asarray(x)[..., :0] if k in call.classes else backend.asarray(x)
        for k, x in enumerate(call.args)
    ]
    with pytest.raises(ValueError, match="at least one class"):
        call.function(*args)


@pytest.mark.matrix
@each_of_floats
def test_under_jit(call):
    """Values are unknown while tracing: nothing can be checked, and everything must work."""
    args = [JAX.asarray(x) for x in call.args]
    assert_same(jax.jit(call.function)(*args), call.function(*args), rtol=1e-10)


def test_jax_without_float64():
    """JAX's default: float64 does not exist there, and asking for it warns."""
    with jax.enable_x64(False):
        got = SPLIT.function(*map(JAX.asarray, SPLIT.args))
    assert got.dtype == np.float32


def test_device_is_kept():
    got = formulas.cross_entropy_from_logits(
        TORCH.xp.zeros((2, 3), device="meta"), TORCH.xp.zeros(2, dtype=int, device="meta")
    )
    assert got.value.device.type == got.grad.device.type == "meta"
