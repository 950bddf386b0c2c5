"""Memory that is reused is never anybody else's."""

import gc
import threading

import numpy as np
import pytest

from plogq.kernels import memory

ROWS = memory.SMALLEST // 4 // 64
SHAPE = (ROWS, 64)

pytestmark = pytest.mark.skipif(not memory._SYSTEM_HELPS, reason="the system has no MADV_FREE")


def address(array):
    return array.__array_interface__["data"][0]


@pytest.fixture(autouse=True)
def _no_spare():
    gc.collect()
    memory._spare.clear()


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i2"])
def test_like_numpy_empty(dtype):
    array = memory.empty(SHAPE, dtype)
    assert (array.shape, array.dtype) == (SHAPE, np.dtype(dtype))
    assert array.flags.c_contiguous
    assert array.flags.writeable
    array[:] = 1
    assert (array == 1).all()


def test_what_dies_is_used_again():
    first = memory.empty(SHAPE, "f4")
    where = address(first)
    del first
    assert address(memory.empty(SHAPE, "f4")) == where


@pytest.mark.parametrize(
    "view", [lambda a: a[3:], lambda a: a.T, lambda a: a.view("i4"), np.asarray]
)
def test_a_view_keeps_it(view):
    array = memory.empty(SHAPE, "f4")
    array[:] = 7
    kept = view(array)
    before = kept.copy()
    del array
    memory.empty(SHAPE, "f4")[:] = 9
    np.testing.assert_array_equal(kept, before)


def test_a_torch_tensor_keeps_it():
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(memory.empty(SHAPE, "f4")).fill_(7)[2:].view(torch.int32)
    memory.empty(SHAPE, "f4")[:] = 9
    assert (tensor.view(torch.float32) == 7).all()


def test_much_larger_or_smaller_is_not_reused():
    large = memory.empty((4 * ROWS, 64), "f4")
    del large
    assert len(memory._spare) == 1
    small = memory.empty(SHAPE, "f4")
    assert memory._spare == []
    del small
    assert len(memory._spare[0]) == memory.SMALLEST


def test_at_most_one_is_spare():
    arrays = [memory.empty(SHAPE, "f4") for _ in range(3)]
    arrays.clear()
    assert len(memory._spare) == 1


def test_small_arrays_are_numpys():
    assert memory.empty((2, 3), "f4").base is None


def test_no_memory_is_numpys_error():
    with pytest.raises(MemoryError, match="Unable to allocate"):
        memory.empty((1 << 58,), "f4")


def test_threads_never_share():
    wrong = []

    def work(number):
        for _ in range(50):
            array = memory.empty(SHAPE, "f4")
            array[:] = number
            wrong.extend([number] if (array != number).any() else [])
            del array

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
