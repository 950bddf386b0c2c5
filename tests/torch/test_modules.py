"""The modules: torch's constructors, printing, pickling, moving."""

import copy
import inspect
import io
import pickle

import pytest
import torch

import plogq.torch as pt

NAMED_AS_IN_TORCH = ["CrossEntropyLoss", "NLLLoss", "KLDivLoss", "BCELoss", "BCEWithLogitsLoss"]
OTHERS = ("Recalibrated", "LinearCrossEntropyLoss")  # they have a state of their own
X, Y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])


def every_module():
    """Give the classes of losses."""
    classes = [getattr(pt, name) for name in pt.__all__ if name not in OTHERS]
    return [c for c in classes if inspect.isclass(c) and issubclass(c, torch.nn.Module)]


@pytest.mark.parametrize("name", NAMED_AS_IN_TORCH)
def test_constructors_are_torchs(name):
    theirs = getattr(torch.nn, name)
    ours = getattr(pt, name)
    assert issubclass(ours, theirs)
    expected = list(inspect.signature(theirs).parameters.values())
    found = list(inspect.signature(ours).parameters.values())[: len(expected)]
    assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in expected]
    assert repr(ours()) == repr(theirs())
    assert ours().state_dict() == theirs().state_dict()


@pytest.mark.parametrize("module", every_module())
def test_every_module_calls_its_function_and_survives_a_pickle(module):
    made = module()
    batch = {
        "DistillationLoss": (X, X.flip(0), Y),
        "ConfidencePenalty": (X,),
        "KLDivLoss": (X.log_softmax(1), X.softmax(1)),
        "NLLLoss": (X.log_softmax(1), Y),
        "JSDivergenceLoss": (X, X.flip(0)),
        "ReverseKLLoss": (X, X.flip(0)),
        "GaussianKL": (X, X),
        "AsymmetricLoss": (X, X.softmax(1)),
        "BCELoss": (X.sigmoid(), X.softmax(1)),
        "BCEWithLogitsLoss": (X, X.softmax(1)),
        "BinaryFocalLoss": (X, X.softmax(1)),
    }.get(module.__name__, (X, Y if module.__name__ != "SoftCrossEntropyLoss" else X.softmax(1)))
    made.reduction = "sum"  # as with torch's: a plain attribute
    loss = made(*batch)
    assert loss.shape == ()
    torch.testing.assert_close(pickle.loads(pickle.dumps(made))(*batch), loss)
    torch.testing.assert_close(copy.deepcopy(made)(*batch), loss)


def test_options_of_the_constructor_and_of_the_call():
    module = pt.CrossEntropyLoss(label_smoothing=0.1, z_loss=1e-3, temperature=2.0)
    assert repr(module) == "CrossEntropyLoss(label_smoothing=0.1, z_loss=0.001, temperature=2.0)"
    row_weight = torch.tensor([1.0, 0.0, 2.0, 1.0])
    expected = pt.cross_entropy(
        X, Y, label_smoothing=0.1, z_loss=1e-3, temperature=3.0, row_weight=row_weight
    )
    torch.testing.assert_close(module(X, Y, temperature=3.0, row_weight=row_weight), expected)
    with pytest.raises(TypeError, match="CrossEntropyLoss has no option z_los"):
        pt.CrossEntropyLoss(z_los=1e-3)
    with pytest.raises(TypeError, match="BCELoss has no option gamma"):
        pt.BCELoss(gamma=2)


def test_weights_are_buffers_that_move_and_load():
    module = pt.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))
    theirs = torch.nn.CrossEntropyLoss(weight=torch.zeros(3))
    theirs.load_state_dict(module.state_dict())
    assert theirs.weight.tolist() == [1, 2, 3]
    assert module.double().weight.dtype == torch.float64
    assert module.to("meta").weight.device.type == "meta"
    module = pt.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0]))
    assert list(module.state_dict()) == ["pos_weight"]


def test_saved_and_loaded_whole():
    buffer = io.BytesIO()
    torch.save(pt.FocalLoss(1.5, torch.ones(3), ignore_index=2), buffer)
    buffer.seek(0)
    module = torch.load(buffer, weights_only=False)
    assert repr(module) == "FocalLoss(gamma=1.5, ignore_index=2)"
    torch.testing.assert_close(module(X, Y), pt.focal_loss(X, Y, 1.5, ignore_index=2))


def test_deprecated_flags():
    with pytest.warns(UserWarning, match="deprecated"):
        assert pt.CrossEntropyLoss(size_average=False).reduction == "sum"


def test_every_public_name_is_documented_and_listed():
    assert pt.__all__ == sorted(pt.__all__)
    assert all(inspect.getdoc(getattr(pt, name)) for name in pt.__all__)


def test_a_module_may_be_subclassed():
    class Scaled(pt.CrossEntropyLoss):
        def __init__(self, factor, **options):
            super().__init__(**options)
            self.factor = factor

        def forward(self, input, target):
            return self.factor * super().forward(input, target)

    module = Scaled(2.0, label_smoothing=0.1)
    torch.testing.assert_close(module(X, Y), 2 * pt.cross_entropy(X, Y, label_smoothing=0.1))


def test_tensors_of_the_options_move_along():
    row_weight, count = torch.rand(4), torch.tensor(3.0)
    module = pt.BrierLoss(row_weight=row_weight, denominator=count, z_loss=0.1)
    torch.testing.assert_close(
        module(X, Y), pt.brier_loss(X, Y, row_weight=row_weight, denominator=count, z_loss=0.1)
    )
    assert module.state_dict() == {}  # they belong to a batch
    moved = module.to("meta")
    assert moved.row_weight.device.type == moved.denominator.device.type == "meta"
    assert repr(module) == "BrierLoss(z_loss=0.1)"


def test_only_options_that_the_function_has():
    with pytest.raises(TypeError, match="BrierLoss has no option gamma"):
        pt.BrierLoss(gamma=1.0)
    with pytest.raises(TypeError, match="DistillationLoss has no option gamma"):
        pt.DistillationLoss(gamma=1.0)
    assert pt.JSDivergenceLoss(temperature=2.0).temperature == 2
