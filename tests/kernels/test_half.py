"""Half precisions: every number is read and written as it should be."""

import numpy as np
import pytest

from plogq.kernels.widen import widen
from tests.kernels.calls import kernel
from tests.optional import optional

torch = optional("torch")
pytestmark = pytest.mark.usefixtures("instruction_set")

HALVES = ("float16", "bfloat16")


@pytest.mark.parametrize("classes", [1, 80])
@pytest.mark.parametrize("half", HALVES)
def test_every_finite_number_is_read(half, classes):
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
    numbers = bits.view(getattr(torch, half))
    numbers = numbers[numbers.isfinite()]
    x = torch.full((len(numbers), classes), -torch.inf, dtype=getattr(torch, half))
    x[:, -1] = numbers
    found = kernel.row_statistics(x)
    np.testing.assert_array_equal(found.max, numbers.float().numpy())
    assert (found.argmax == classes - 1).all()


@pytest.mark.parametrize("n", [2**16, 37, 3, 0])
def test_every_float16_is_widened(n):
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)[-n or 2**16 :]
    with np.errstate(invalid="ignore"):  # arm64 says so of a signalling NaN
        want = halves.astype(np.float32)
    np.testing.assert_array_equal(widen(halves), want)
    np.testing.assert_array_equal(widen(halves[::2]), want[::2])


@pytest.mark.parametrize("classes", [2, 80])
@pytest.mark.parametrize("half", HALVES)
def test_numbers_are_written_to_nearest_even(half, classes):
    # The bits of every half number's neighbourhood: exact, halfway, and beside it.
    exact = torch.arange(2**15, dtype=torch.int32).to(torch.int16).view(getattr(torch, half))
    exact = exact[exact.isfinite()].float().numpy()
    middle = exact[:-1] / 2 + exact[1:] / 2
    beside = [np.nextafter(middle, direction, dtype=np.float32) for direction in (0, np.inf)]
    beyond = np.float32([65519.9, 65520, 1e6, 3.3e38, np.inf])
    numbers = np.concatenate([exact, middle, *beside, beyond])
    numbers = numbers[~((numbers > 0) & (numbers < 1e-38))]  # 2 · number is halved exactly
    x = torch.full((len(numbers), classes), -torch.inf, dtype=getattr(torch, half))
    x[:, :2] = 0  # p = 1/2
    grad = torch.empty_like(x)
    with np.errstate(over="ignore"):
        scale = (2 * numbers.astype(np.float64)).astype(np.float64)
    kernel.softmax_loss(x, np.zeros(len(x), np.int64), row_scale=scale, gradient=grad)
    want = torch.from_numpy(numbers).to(getattr(torch, half))
    fits = scale < np.finfo(np.float32).max
    np.testing.assert_array_equal(grad[fits, 1].float(), want[fits].float())
    np.testing.assert_array_equal(grad[fits, 0].float(), -want[fits].float())


@pytest.mark.parametrize("half", HALVES)
def test_nan_stays_nan(half):
    for classes in (3, 80):
        x = torch.zeros((2, classes), dtype=getattr(torch, half))
        x[1, 1] = torch.nan
        kernel.softmax_loss(x, np.zeros(2, np.int64), gradient=x, check_logits=False)
        assert x[1].isnan().all()
        assert x[0].isfinite().all()


@pytest.mark.parametrize("classes", [7, 130])
@pytest.mark.parametrize("half", HALVES)
def test_tensors(half, classes):
    torch.manual_seed(0)
    x = torch.randn(40, classes).to(getattr(torch, half))
    y = torch.randint(classes, (40,))
    soft = torch.rand(40, classes).softmax(1).to(getattr(torch, half))
    for target in (y, soft, soft.float(), y[:, None].expand(40, 2)[:, 0]):
        grad, want = torch.empty_like(x), torch.empty(40, classes)
        loss = kernel.softmax_loss(x, target, gradient=grad, validate=False).loss
        given = target.float() if target.is_floating_point() else target
        exact = kernel.softmax_loss(x.float(), given, gradient=want, validate=False).loss
        np.testing.assert_array_equal(loss, exact)
        assert (grad == want.to(getattr(torch, half))).all()
        for other in (x.T.contiguous().T, x.repeat_interleave(2, 1)[:, ::2]):
            room = torch.empty_like(other)
            kernel.softmax_loss(other, target, gradient=room, validate=False)
            assert (room == grad).all()
        place = x.clone()
        kernel.softmax_loss(place, target, gradient=place, validate=False)
        assert (place == grad).all()
