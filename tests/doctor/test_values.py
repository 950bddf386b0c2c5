"""`check` takes arrays of any framework, refuses the rest in a sentence, and never falls over."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plogq.doctor import values
from plogq.doctor.finding import Diagnosis
from plogq.doctor.losses import LOSSES, framework_with, loss_of
from plogq.doctor.values import check

NAMED = [(framework, name) for framework, losses in LOSSES.items() for name in losses]
PROBABILITIES = np.array([[0.98, 0.01, 0.01], [0.05, 0.9, 0.05], [0.2, 0.1, 0.7]])


def codes(*args, **options):
    return {finding.code for finding in check(*args, **options).findings}


NUMBERS = st.sampled_from(
    [0.0, 1.0, -1.0, 0.5, 2.0, -0.0, 1e-7, 1e300, -1e300, 5e-324, np.nan, np.inf, -np.inf, 255.0]
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8, bool]


@st.composite
def arrays(draw, shapes=SHAPES):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(shapes)
    if np.dtype(dtype).kind == "f":
        with np.errstate(over="ignore", under="ignore"):
            found = draw(hnp.arrays(np.float64, shape, elements=NUMBERS)).astype(dtype)
        if draw(st.booleans()) and found.ndim and found.shape[-1]:
            with np.errstate(all="ignore"):
                found = np.exp(found.astype(float)) / np.exp(found.astype(float)).sum(-1)[..., None]
        return found
    return draw(hnp.arrays(dtype, shape))


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "ignore_index": st.sampled_from([0, 1, -100]),
        "label_smoothing": st.sampled_from([0.0, 0.1, 1.0]),
        "reduction": st.sampled_from(["mean", "sum", "none", "batchmean"]),
        "eps": st.sampled_from([0.0, 1e-15, 1e-3]),
        "axis": st.sampled_from([0, -1, 1]),
        "log_target": st.booleans(),
        "from_logits": st.booleans(),
        "weight": st.sampled_from([[0.0, 0.0], [1.0, 0.0], None, "weight"]),
        "mask": st.sampled_from([[False], [True], None]),
        "at_start": st.booleans(),
    },
)
odd = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=500)


@odd
@given(st.data())
def test_any_arrays_give_a_diagnosis_or_one_sentence(data):
    framework, name = data.draw(st.sampled_from(NAMED))
    x = data.draw(arrays())
    near = [x.shape, x.shape[:-1], x.shape[:1] + x.shape[2:], (*x.shape, 1), x.shape[::-1]]
    y = data.draw(arrays(st.sampled_from(near)) | arrays())
    options = data.draw(OPTIONS)
    try:
        found = check(x, y, name, framework, **options)
    except (ValueError, TypeError) as error:
        refused = str(error)
    else:
        refused = "it must be a diagnosis"
        assert isinstance(found, Diagnosis)
        assert found.to_json()
    assert " must " in refused
    assert "\n" not in refused


class Strange:
    def __array__(self, *_, **__):
        raise RuntimeError("no array\nat all")


@pytest.mark.parametrize(
    "outputs",
    [
        "logits", b"x", None, 1.0, [], [[]], [[1.0], [2.0, 3.0]], {"a": 1}, object(), Strange(),
        np.array(["a"]), np.array([1j]), np.array([None]), np.array(["2020"], "datetime64[D]"),
        np.zeros((0, 3)), np.zeros(2, dtype=[("a", float)]), lambda: 0, {1, 2}, range(0),
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_refused(outputs):
    with pytest.raises((TypeError, ValueError), match=r"^outputs must [^\n]*$"):
        check(outputs, [0, 1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "hinge"}, "^loss must be one of"),
        ({"loss": "nll_loss", "framework": "jax"}, "^loss must be one of"),
        ({"loss": 3}, "^loss must be the name"),
        ({"framework": "mxnet"}, "^framework must be one of"),
        ({"ignore_index": 0.5}, "^ignore_index must be an integer"),
        ({"label_smoothing": 2}, "^label_smoothing must be a number from 0 to 1"),
        ({"label_smoothing": np.nan}, "^label_smoothing must be a number from 0 to 1"),
        ({"eps": "small"}, "^eps must be a number from 0 to 0.5"),
        ({"axis": 5}, "^axis must be one of the 2 axes"),
        ({"select": ["PQ9"]}, "^select must hold codes"),
        ({"select": "PQ101"}, "^select must hold codes"),
    ],
)
def test_what_is_no_loss_or_option_is_refused(options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        check(PROBABILITIES, [0, 1, 2], **options)


def test_tensors_of_torch_with_gradients_and_in_half_precision():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        logits = torch.randn(8, 1000, generator=torch.Generator().manual_seed(0))
        logits = logits.to(dtype).requires_grad_()
        target = torch.arange(8)
        assert codes(logits, target) == set()
        assert codes(logits.softmax(1), target) == {"PQ101"}
        found = check(logits.softmax(1), target)
        assert f"{str(dtype).removeprefix('torch.')} " in found.looked_at
        assert found.looked_at.endswith("under cross_entropy of torch")


def test_arrays_of_jax_in_half_precision():
    jax = pytest.importorskip("jax")
    logits = jax.random.normal(jax.random.key(0), (8, 10), "bfloat16")
    name = "softmax_cross_entropy_with_integer_labels"
    assert codes(logits, jax.numpy.arange(8), name) == set()
    found = check(jax.nn.softmax(logits), jax.numpy.arange(8), name)
    assert [finding.code for finding in found.findings] == ["PQ101"]
    assert "bfloat16 and target" in found.looked_at
    assert found.looked_at.endswith("of jax")


def test_tensors_of_tensorflow_are_read_as_arrays():
    class EagerTensor:
        """What such a tensor shows of itself; TensorFlow need not be installed."""

        __module__ = "tensorflow.python.framework.ops"
        dtype = type("DType", (), {"name": "float32"})()

        def __array__(self, dtype=None, copy=None):
            return PROBABILITIES.astype(np.float32)

    found = check(EagerTensor(), [0, 1, 2], "sparse_categorical_crossentropy", from_logits=True)
    assert [finding.code for finding in found.findings] == ["PQ101"]
    assert "float32 and target" in found.looked_at
    assert found.looked_at.endswith("of keras")


def test_a_framework_is_that_of_the_outputs_or_the_first_with_such_a_loss():
    assert framework_with("cross_entropy") == "numpy"
    assert framework_with("cross_entropy", "jax") == "numpy"
    assert framework_with("kl_divergence", "jax") == "jax"
    assert framework_with("sparse_categorical_crossentropy", "torch") == "keras"
    with pytest.raises(ValueError, match=r"^loss must be one of"):
        framework_with("hinge")
    assert loss_of("keras", "binary_crossentropy", True).takes == "logits"


def test_no_framework_is_imported():
    code = (
        "import sys, plogq.doctor as d; d.check([[0.9, 0.1], [0.2, 0.8]], [0, 1]); "
        "print([m for m in ('torch', 'jax', 'keras', 'tensorflow', 'pyarrow') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ran.stdout == "[]\n"


def test_of_many_outputs_a_sample_is_looked_at_and_said(monkeypatch):
    monkeypatch.setattr(values, "MOST_OUTPUTS", 3000)
    x = np.tile(PROBABILITIES, (10_000, 1))
    y = np.tile([0, 1, 2], 10_000)
    found = check(x, y)
    assert [finding.code for finding in found.findings] == ["PQ101"]
    assert "on a random 1,000 of 30,000 rows" in found.looked_at
    x[29_999, 0] = np.nan  # found in all rows, whatever the sample is
    y[29_998] = 3
    assert codes(x, y) >= {"PQ107", "PQ119"}
    assert "random" not in check(PROBABILITIES, [0, 1, 2]).looked_at


def test_large_outputs_are_not_copied_whole():
    x = np.zeros((1 << 21, 32), np.float32)  # 256 MB; its float64 would be 512 MB
    x[:, 0] = np.arange(1 << 21, dtype=np.float32) % 7
    y = np.arange(1 << 21) % 3
    tracemalloc.start()
    check(x, y, framework="torch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Ten arrays of 64 MB: the rows looked at, and what is computed of them.
    assert peak < 10 * 8 * values.MOST_OUTPUTS


def test_the_class_axis_is_torchs_or_the_last():
    x = np.moveaxis(np.tile(PROBABILITIES, (2, 1, 1)), -1, 1)
    y = np.tile([0, 1, 2], (2, 1))
    assert codes(x, y, framework="torch") == {"PQ101"}
    assert codes(np.moveaxis(x, 1, -1), y) == {"PQ101"}


def test_the_first_number_that_is_not_finite_is_named_in_large_outputs():
    x = np.zeros((1 << 19, 3))
    x[400_000, 1] = np.nan
    x[400_001:, 2] = np.inf
    (finding,) = check(x, np.arange(1 << 19) % 3, select=["PQ119"]).findings
    assert finding.where.row == 400_000
    assert finding.evidence == (
        f"numbers that are NaN or infinite: {(1 << 19) - 400_000:,} of {x.size:,}",
        "the first is nan at [400000, 1]",
    )


def test_rows_that_are_left_out_are_no_part_of_the_labels():
    x = np.tile([1.0, 0.5, 0.0], (40, 1))
    y = np.arange(40) % 2
    assert "PQ121" in codes(x, y, select=["PQ121"], framework="torch")
    assert codes(x, y, select=["PQ121"], framework="torch", ignore_index=1) == set()
