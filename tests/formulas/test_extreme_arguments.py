"""Labels of any integer dtype, and parameters at their limits."""

import numpy as np
import pytest

from plogq import formulas as f
from tests.optional import optional

torch = optional("torch")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int64", "uint64"])
def test_labels_of_any_integer_dtype(dtype):
    """uint8 cannot count to 1,000 classes: that must not fold class 256 + k onto k."""
    label = 100
    logits = np.zeros((1, 1000))
    value, grad = f.cross_entropy_from_logits(logits, np.asarray([label], dtype=dtype))
    np.testing.assert_allclose(value, np.log(1000), rtol=1e-15)
    assert np.flatnonzero(grad[0] < 0).tolist() == [label]


def test_small_label_dtypes_in_torch():
    for dtype in (torch.uint8, torch.int8, torch.int32):
        target = torch.tensor([100], dtype=dtype)
        value = f.cross_entropy_from_logits(torch.zeros(1, 1000), target).value
        torch.testing.assert_close(value, torch.tensor([1000.0]).log())


@pytest.mark.parametrize(
    "call",
    [
        lambda: f.softmax([0.0, -np.inf], temperature=np.inf),
        lambda: f.distillation_from_logits([0.0], [0.0], temperature=np.inf),
        lambda: f.focal_from_logits([0.0, 1.0], 0, gamma=np.inf),
        lambda: f.binary_focal_from_logits([0.0], [1.0], gamma=np.nan),
    ],
)
def test_parameters_must_be_finite(call):
    with pytest.raises(ValueError, match="finite"):
        call()


@pytest.mark.parametrize("function", [f.entropy, f.softmax, f.surprisal])
def test_none_is_no_array(function):
    with pytest.raises(TypeError, match="must be an array of numbers; got NoneType"):
        function(None)


def test_a_huge_temperature_is_no_overflow():
    value, grad = f.distillation_from_logits([1.0, 2.0], [2.0, 1.0], temperature=1e200)
    assert np.isfinite(value)
    assert np.isfinite(grad).all()
