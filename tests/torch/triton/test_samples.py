"""PyTorch's own test inputs through the Triton engine: torch's numbers and gradients."""

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch.engines import ENGINES
from tests.torch.test_torch_samples import OPS
from tests.torch.triton.cases import DTYPES, assert_as_good, value_and_gradient

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")


@pytest.mark.matrix
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy_with_logits"])
def test_function_samples(triton_engine, name, dtype):
    """Scalars, maps, no rows, class weights, smoothing, distributions that do not sum to 1."""
    torch.manual_seed(0)
    samples = list(OPS[name].sample_inputs("cpu", dtype))
    assert len(samples) >= 11
    for sample in samples:
        options = dict(sample.kwargs)
        given = [a.detach() for a in sample.args]
        wide = [a.double() if a.is_floating_point() else a for a in given]
        truth = value_and_gradient(
            getattr(F, name), sample.input.double(), *wide,
            **{k: v.double() if isinstance(v, torch.Tensor) else v for k, v in options.items()},
        )  # fmt: skip
        theirs = value_and_gradient(getattr(F, name), sample.input, *given, **options)
        with ENGINES.seen() as seen:
            found = value_and_gradient(
                getattr(pt, name), sample.input, *given, device=triton_engine, validate=False,
                **options,
            )  # fmt: skip
        assert seen == ["triton"]
        if truth[0].isnan().all():  # nothing is left: 0 here, NaN in torch
            assert found[0] == 0
            continue
        assert found[0].shape == truth[0].shape
        assert_as_good(found[0], theirs[0], truth[0], torch.float32)
        assert_as_good(found[1], theirs[1], truth[1], dtype)
