"""PyTorch's own test inputs, through its functions and ours: same numbers, same gradients."""

import functools
import itertools
import warnings

import pytest
import torch
from torch.nn import functional as F

import plogq.torch as pt

with warnings.catch_warnings():
    # torch's test tools use parts of torch and NumPy that are on their way out.
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

NAMES = [
    "cross_entropy",
    "nll_loss",
    "kl_div",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
]
MODULES = ["CrossEntropyLoss", "NLLLoss", "KLDivLoss", "BCELoss", "BCEWithLogitsLoss"]
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
OPS = {op.name.removeprefix("nn.functional."): op for op in op_db if not op.variant_test_name}
MODULE_INFO = {info.name.removeprefix("nn."): info for info in module_db}


@functools.cache
def _samples(name, dtype):
    # The global seed decides what make_tensor draws.
    torch.manual_seed(0)
    return list(OPS[name].sample_inputs("cpu", dtype, requires_grad=True))


@functools.cache
def _module_inputs(name, dtype):
    info = MODULE_INFO[name]
    torch.manual_seed(0)
    return info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=True
    )


def difference(name, args, ignored):
    """Name the documented difference that a sample shows; None where both must agree."""
    x, target = args[0], args[1]
    if name in ("cross_entropy", "CrossEntropyLoss") and target.shape == x.shape:
        total = target.detach().float().sum(min(1, target.ndim - 1))
        if not torch.allclose(total, torch.ones(()), atol=1e-3):
            return "targets that do not sum to 1 raise"
    if (
        name in ("nll_loss", "NLLLoss")
        and (F.nll_loss(x.detach(), target, ignore_index=ignored, reduction="none") < 0).any()
    ):
        return "what is no log-probability raises, where a target points"
    if name == "KLDivLoss" and not ((x <= 0).all() and (target >= 0).all()):
        return "what is no (log-)probability raises"
    return None


def _without_warnings(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of kl_div's mean, which is tested elsewhere
        return function(*args, **kwargs)


def _upstream(x):
    return torch.linspace(0.5, 1.5, max(x.numel(), 1), dtype=torch.float64)[: x.numel()].reshape(
        x.shape
    )


def _gradients(loss, inputs):
    upstream = _upstream(loss).to(loss.dtype)
    found = torch.autograd.grad(loss, inputs, upstream, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _compare(ours_of, theirs_of, name, args, kwargs):
    """Compare values and gradients, in float32 where the input is half."""
    half = args[0].dtype in (torch.float16, torch.bfloat16)
    # torch's own half-precision result has a half's error: its float32 one is the reference.
    reference = [
        a.detach().float().requires_grad_() if half and torch.is_floating_point(a) else a
        for a in args
    ]
    keys = {k: v.float() if half and isinstance(v, torch.Tensor) else v for k, v in kwargs.items()}
    theirs = _without_warnings(theirs_of, *reference, **keys)
    options = {}
    ignored = kwargs.get("ignore_index", getattr(theirs_of, "ignore_index", -100))
    if difference(name, args, ignored):
        with pytest.raises(ValueError, match="must"):
            _without_warnings(ours_of, *args, **kwargs)
        options["validate"] = False
    ours = _without_warnings(ours_of, *args, **kwargs, **options)
    if bool((args[1] == ignored).all()) and theirs.isnan().all():  # nothing left gives 0
        theirs = (reference[0] * 0).sum()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype  # float32 for halves, by the choice of the reference
    torch.testing.assert_close(ours, theirs, equal_nan=True)
    inputs = [a for a in args if a.requires_grad]
    their_inputs = [r for r, a in zip(reference, args, strict=True) if a.requires_grad]
    for mine, other, x in zip(
        _gradients(ours, inputs), _gradients(theirs, their_inputs), inputs, strict=True
    ):
        assert mine.dtype == x.dtype
        torch.testing.assert_close(mine, other.to(x.dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_function_samples(name, dtype, route):
    samples = _samples(name, dtype)
    assert len(samples) >= 11
    for sample in samples:
        args = (sample.input, *sample.args)
        _compare(getattr(pt, name), getattr(F, name), name, args, sample.kwargs)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss", "binary_cross_entropy_with_logits"])
def test_function_samples_without_target_gradient(name, route):
    """As above with fixed targets: only then does the kernel take distributions."""
    for sample in _samples(name, torch.float32):
        args = (sample.input, *(a.detach() for a in sample.args))
        _compare(getattr(pt, name), getattr(F, name), name, args, sample.kwargs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_module_inputs(name, dtype, route):
    info, inputs = MODULE_INFO[name], _module_inputs(name, dtype)
    assert len(inputs) >= 6
    for sample in inputs:
        built = (sample.constructor_input.args, sample.constructor_input.kwargs)
        theirs = info.module_cls(*built[0], **built[1])
        ours = getattr(pt, name)(*built[0], **built[1])
        unchecked = getattr(pt, name)(*built[0], **built[1], validate=False)

        def call(*args, validate=True, ours=ours, unchecked=unchecked):
            return (ours if validate else unchecked)(*args)

        _compare(call, theirs, name, sample.forward_input.args, sample.forward_input.kwargs)


def test_every_option_of_cross_entropy_together(route):
    """Index and distribution targets, weights, smoothing, ignored rows, every shape, at once."""
    torch.manual_seed(1)
    shapes = [(5,), (4, 5), (2, 5, 3), (2, 5, 3, 2), (2, 5, 1, 2, 2)]
    for shape, soft, weighted, smoothing, reduction in itertools.product(
        shapes, (False, True), (False, True), (0.0, 0.1, 1.0), ("none", "mean", "sum")
    ):
        axis = min(1, len(shape) - 1)
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        target = torch.randn(shape, dtype=torch.float64).softmax(axis)
        if not soft:
            target = target.argmax(axis)
        kwargs = {"reduction": reduction, "label_smoothing": smoothing}
        if weighted:
            kwargs["weight"] = torch.rand(5, dtype=torch.float64)
        if not soft and len(shape) > 1:
            kwargs["ignore_index"] = int(target.flatten()[0])
            target.flatten()[1:2].add_(1).remainder_(5)
        _compare(pt.cross_entropy, F.cross_entropy, "cross_entropy", (x, target), kwargs)


def test_the_deprecated_flags_mean_what_they_mean_in_torch():
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    for size_average, reduce in itertools.product((None, True, False), repeat=2):
        if size_average is None and reduce is None:
            continue
        ours = _without_warnings(pt.cross_entropy, x, y, None, size_average, -100, reduce)
        theirs = _without_warnings(F.cross_entropy, x, y, None, size_average, -100, reduce)
        torch.testing.assert_close(ours, theirs)
        with pytest.warns(UserWarning, match="deprecated"):
            pt.cross_entropy(x, y, reduce=reduce, size_average=size_average)
