"""`Recalibrated`: the numbers of `plogq.score.Recalibration`, inside a model of torch."""

import json

import numpy as np
import pytest
import torch

import plogq.torch as pt
from tests.score.test_recalibrate import PARAMETERS, TWO, kept

X = 8 * np.random.default_rng(0).standard_normal((40, 3))
X[0, 1] = X[1, 0] = -np.inf


def plain(calibration):
    return json.loads(calibration.to_json())


@pytest.mark.parametrize("family", PARAMETERS)
def test_a_softmax_after_it_gives_the_recalibrated_probabilities(family):
    calibration = kept(family)
    module = pt.Recalibrated(torch.nn.Identity(), plain(calibration))
    expected = calibration.apply(logits=X)
    found = module(torch.tensor(X))
    assert np.allclose(found.exp(), expected, rtol=1e-13, atol=0)
    assert np.allclose(found.softmax(-1), expected, rtol=1e-13, atol=0)
    assert np.allclose(module(torch.tensor(X).reshape(5, 8, 3)).reshape(40, 3), found, rtol=1e-14)
    same = pt.Recalibrated(torch.nn.Identity(), calibration)
    assert torch.equal(same(torch.tensor(X)), found)


@pytest.mark.parametrize("family", TWO)
def test_two_classes(family):
    calibration = kept(family, TWO[family], ("no", "yes"))
    module = pt.Recalibrated(torch.nn.Identity(), plain(calibration))
    found = module(torch.tensor(X[:, :2])).exp()
    assert np.allclose(found, calibration.apply(logits=X[:, :2]), rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("family", PARAMETERS)
def test_half_logits_give_float32_and_the_numbers_keep_their_precision(family, dtype):
    calibration = kept(family)
    module = pt.Recalibrated(torch.nn.Identity(), plain(calibration)).to(dtype)
    x = torch.tensor(X).to(dtype)
    found = module(x)
    assert found.dtype == torch.float32
    expected = calibration.apply(logits=x.double().numpy())
    assert np.allclose(found.exp(), expected, rtol=2e-5, atol=1e-38)
    assert all(b.dtype == torch.float64 for b in module.buffers())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_first_step_of_probability_0_alone(dtype):
    least = {"from": ["-inf", -np.finfo(float).max, -1.0], "value": [0.01, 0.2, 0.7]}
    calibration = kept("isotonic", {"of": "log_q", "curves": [least] * 3})
    x = torch.tensor([[0.0, -np.inf, -5.0]], dtype=dtype)
    found = pt.Recalibrated(torch.nn.Identity(), plain(calibration))(x).exp()
    assert np.allclose(found, [[0.7 / 0.91, 0.01 / 0.91, 0.2 / 0.91]], rtol=1e-6)


@pytest.mark.parametrize("family", PARAMETERS)
def test_the_gradient_goes_through(family):
    module = pt.Recalibrated(torch.nn.Linear(4, 3), plain(kept(family))).double()
    a = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    loss = pt.cross_entropy(module(a), torch.tensor([0, 1, 2, 0, 1]))
    loss.backward()
    slope = module.model.weight.grad
    assert slope.isfinite().all()
    assert bool((slope == 0).all()) == (family == "isotonic")
    x = torch.tensor(X[2:6], requires_grad=True)
    assert torch.autograd.gradcheck(pt.Recalibrated(torch.nn.Identity(), plain(kept(family))), x)


@pytest.mark.parametrize("family", PARAMETERS)
def test_an_unknown_row_stays_unknown(family):
    module = pt.Recalibrated(torch.nn.Identity(), plain(kept(family)))
    found = module(torch.tensor([[1.0, np.nan, 0.0], [1.0, 2.0, 0.0]]))
    assert found[0].isnan().all()
    assert found[1].isfinite().all()


@pytest.mark.parametrize("family", PARAMETERS)
def test_it_is_exported_and_its_state_is_loaded(family):
    module = pt.Recalibrated(torch.nn.Linear(4, 3), plain(kept(family)))
    dim = torch.export.Dim("rows")
    program = torch.export.export(module, (torch.randn(5, 4),), dynamic_shapes=[({0: dim},)])
    a = torch.randn(7, 4)
    assert torch.allclose(program.module()(a), module(a), atol=1e-6)
    other = pt.Recalibrated(torch.nn.Linear(4, 3), plain(kept(family)))
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(a), module(a))
    assert len(module.state_dict()) == 2 + sum(1 for _ in module.buffers())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"family": "platt", "parameters": {}}, "family must be one of identity, temperature"),
        ({"family": "temperature", "parameters": {}}, "parameters must be those of temperature"),
        ({"family": "temperature", "parameters": {"temperature": 0}}, "temperature must be above"),
        ({"family": "vector", "parameters": {"scale": [1], "bias": [1, 2]}}, "have one length"),
        ({"temperature": 2.0}, 'must have "family" and "parameters"'),
    ],
)
def test_what_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        pt.Recalibrated(torch.nn.Identity(), parameters)


def test_other_classes_are_refused():
    module = pt.Recalibrated(torch.nn.Identity(), plain(kept("vector")))
    with pytest.raises(ValueError, match=r"have the 3 classes of the recal.*got shape \(2, 4\)"):
        module(torch.zeros(2, 4))
