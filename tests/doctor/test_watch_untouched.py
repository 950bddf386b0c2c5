"""What is around a training stays as it is: a function's own state, generators, hooks, memory."""

import gc
import random
import warnings
import weakref
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from plogq.doctor import gradient_flow, watch

X, Y = torch.randn(32, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4
OF_NUMPY, OF_TORCH, OF_PYTHON = np.random.default_rng(0), torch.Generator(), random.Random(0)
OTHERS = [np.random.RandomState(0)]


class Net(nn.Module):
    """A linear model behind a function of its inputs."""

    def __init__(self, before=lambda x: x):
        super().__init__()
        self.layer = nn.Linear(8, 4)
        self.before = before

    def forward(self, x):
        return self.layer(self.before(x))


def with_noise(x):
    shift = torch.from_numpy(OF_NUMPY.normal(size=x.shape)).float() + OTHERS[0].normal()
    return x + 0.1 * shift + 0.1 * torch.randn(x.shape, generator=OF_TORCH) + OF_PYTHON.random()


def trained(model, loss, optimizer=None, steps=5, x=X):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []

    def closure():
        optimizer.zero_grad()
        value = loss(model(x), Y)
        value.backward()
        losses.append(value.item())
        return value.detach()

    for _ in range(steps):
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return losses


def both(make, run=trained, state=list, unread=()):
    """Train alone and watched, and compare the losses, the weights, the gradients and a state."""
    found = []
    for watched in (False, True):
        torch.manual_seed(1)
        model, loss = make()
        d = watch(model, loss)
        if watched:
            d.start()
        losses = run(model, d.loss if watched else loss)
        d.stop()
        tensors = [*model.state_dict().values(), *(each.grad for each in model.parameters())]
        found.append((losses, [each.clone().to_dense().tolist() for each in tensors], state()))
    assert found[0] == found[1]
    assert [each.path for each in d.diagnosis.unread] == list(unread)
    return d


def state_of_generators():
    """Return the next numbers, and put the generators back to their start."""
    numbers = (OF_NUMPY.random(), torch.rand(1, generator=OF_TORCH).item(), OF_PYTHON.random(),
               OTHERS[0].random())  # fmt: skip
    OF_NUMPY.bit_generator.state = np.random.default_rng(0).bit_generator.state
    OF_TORCH.manual_seed(0)
    OF_PYTHON.seed(0)
    OTHERS[0].seed(0)
    return numbers


@pytest.mark.parametrize("where", ["model", "loss", "partial"])
def test_generators_of_ones_own_go_on_where_they_were(where):
    def noisy(outputs, target, scale=1.0):
        return F.cross_entropy(scale * with_noise(outputs), target)

    losses = {"model": nn.CrossEntropyLoss(), "loss": noisy, "partial": partial(noisy, scale=0.5)}
    state_of_generators()
    both(lambda: (Net(with_noise) if where == "model" else Net(), losses[where]),
         state=state_of_generators)  # fmt: skip


class Bank:
    """What a loss keeps from batch to batch."""

    def __init__(self):
        self.mean, self.calls, self.rows = torch.zeros(4), 0, {}


def test_what_a_loss_function_writes_into_is_written_by_the_training_alone():
    kept = []

    def make():
        mean, seen, history, bank = torch.zeros(4), 0, [], Bank()
        array = np.zeros(1)

        def add(outputs):
            array[0] += 1
            mean.mul_(0.99).add_(outputs.detach().mean(0), alpha=0.01)

        def loss(outputs, target, of_call={"calls": 0}):  # noqa: B006 (as a loop may have it)
            nonlocal seen
            seen += 1
            history.append(seen)
            bank.calls += 1
            bank.mean += 1
            of_call["calls"] += 1
            add(outputs)
            return F.cross_entropy(outputs - 0.01 * mean, target)

        kept[:] = [mean, history, bank, array, loss, lambda: seen]
        return Net(), loss

    def state():
        mean, history, bank, array, loss, seen = kept
        return (mean.tolist(), list(history), bank.calls, bank.mean.tolist(), array.tolist(),
                seen(), loss.__defaults__[0]["calls"])  # fmt: skip

    both(make, state=state)
    assert state()[1:] == ([1, 2, 3, 4, 5], 5, [5.0] * 4, [5.0], 5, 5)


def test_weights_that_a_loss_names_are_those_of_the_copy():
    def make():
        model = Net()
        weights = list(model.parameters())

        def loss(outputs, target):
            return F.cross_entropy(outputs, target) + 0.1 * sum(w.square().sum() for w in weights)

        return model, loss

    d = both(make)
    (first, *_) = d._torch.training().steps
    assert first.layers


def test_hooks_of_all_modules_see_the_training_alone():
    calls = []
    handle = register_module_forward_hook(lambda module, args, out: calls.append(type(module)))
    try:
        both(lambda: (Net(), nn.CrossEntropyLoss()), state=lambda: [calls.pop() for _ in calls[:]])
        nn.Linear(2, 2)(torch.ones(2))
        assert calls == [nn.Linear]
    finally:
        handle.remove()


def spectral():
    return nn.Sequential(parametrizations.spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 4))


def weight_norm():
    first = parametrizations.weight_norm(nn.Linear(8, 8))
    return nn.Sequential(first, parametrizations.orthogonal(nn.Linear(8, 4)))


def tied():
    model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.Linear(8, 4))
    model[2].weight = model[0].weight
    return model


class Remembers(Net):
    """It keeps tensors of its graph, in a list and in a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(32, 4))
        self.kept = []

    def forward(self, x):
        self.last = super().forward(x)
        self.kept = [{"last": self.last}]
        return self.last


class Checkpointed(Net):
    """Its dropout and its batch's statistics are computed anew in `backward`."""

    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(
            nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8)
        )

    def forward(self, x):
        return super().forward(checkpoint(self.block, x, use_reentrant=False))


class Spectrum(Net):
    """A layer of Fourier coefficients."""

    def __init__(self):
        super().__init__()
        self.filter = nn.Parameter(torch.randn(5, dtype=torch.cfloat))

    def forward(self, x):
        return super().forward(torch.fft.irfft(torch.fft.rfft(x) * self.filter, n=8))


MODELS = (
    spectral, weight_norm, tied, Remembers, Checkpointed, Spectrum, lambda: nn.LazyLinear(4),
    lambda: nn.DataParallel(Net()),
)  # fmt: skip


@pytest.mark.parametrize("make", MODELS, ids=lambda each: each.__name__)
def test_models_of_many_kinds_are_looked_at_and_left_alone(make):
    def initialised():
        model = make()
        return model, nn.CrossEntropyLoss()

    def run(model, loss):
        if any(map(nn.parameter.is_lazy, model.parameters())):
            loss(model(X), Y).backward()
        return trained(model, loss)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(both(initialised, run)._torch.training().steps) == 3


def test_sparse_gradients():
    x = torch.arange(96).reshape(32, 3) % 50

    def make():
        body = nn.Sequential(nn.Embedding(60, 8, sparse=True), nn.Flatten(), nn.Linear(24, 4))
        return body, nn.CrossEntropyLoss()

    d = both(make, partial(trained, x=x))
    assert d._torch.training().overfit is not None
    model, loss = make()
    flow = gradient_flow(model, loss(model(x), Y)).layers[0]
    loss(model(x), Y).backward()
    right = model[0].weight.grad.to_dense().double()
    assert flow.zero == float((right == 0).double().mean())
    assert flow.gradient == pytest.approx(float(right.square().mean().sqrt()))


def test_a_closure_is_called_as_often():
    def run(model, loss):
        return trained(model, loss, torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4))

    both(lambda: (Net(), nn.CrossEntropyLoss()), run)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_and_a_scaler(dtype):
    def run(model, loss):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler, losses = torch.amp.GradScaler("cpu"), []
        for _ in range(5):
            optimizer.zero_grad(set_to_none=False)
            with torch.autocast("cpu", dtype=dtype):
                value = loss(model(X), Y)
            scaler.scale(value).backward()
            scaler.step(optimizer)
            scaler.update()
            losses.append(value.item())
        return losses, scaler.get_scale()

    both(lambda: (Net(), nn.CrossEntropyLoss()), run)


def test_updates_inside_of_backward():
    def run(model, loss):
        optimizers = {each: torch.optim.SGD([each], lr=0.1) for each in model.parameters()}

        def update(parameter):
            optimizers[parameter].step()

        for each in model.parameters():
            each.register_post_accumulate_grad_hook(update)
        losses = []
        for _ in range(4):
            model.zero_grad()
            value = loss(model(X), Y)
            value.backward()
            losses.append(value.item())
        return losses

    both(lambda: (Net(), nn.CrossEntropyLoss()), run)


def test_memory_is_given_back_although_losses_are_kept():
    model, criterion, seen, losses = Net(), nn.CrossEntropyLoss(), [], []
    with watch(model, criterion) as d:
        for _ in range(4):
            x = X.clone()
            out = model(x)
            losses.append(criterion(out, Y))
            losses[-1].backward()
            seen += [weakref.ref(x), weakref.ref(out)]
            del x, out
    assert not any(each._backward_hooks for each in losses)
    assert [each() for each in seen] == [None] * 8
    seen = weakref.ref(model)
    del d, model
    gc.collect()
    assert seen() is None


def test_a_reentrant_checkpoint_is_said():
    class Hidden(Net):
        def forward(self, x):
            return checkpoint(super().forward, x.clone().requires_grad_(), use_reentrant=True)

    d = both(lambda: (Hidden(), nn.CrossEntropyLoss()), unread=["the layers"])
    assert "use_reentrant=False" in d.diagnosis.unread[0].reason
    assert "PQ208" not in [each.code for each in d.diagnosis.findings]


def frozen():
    model = nn.Linear(8, 4)
    loss = F.cross_entropy(model(X), Y)
    model.requires_grad_(False)
    return model, loss


def gone():
    model = Net(torch.sin)
    loss = F.cross_entropy(model(X), Y).square()
    loss.backward()
    return model, loss


def hidden():
    model = nn.Linear(8, 4)
    out = checkpoint(model, X.clone().requires_grad_(), use_reentrant=True)
    return model, F.cross_entropy(out, Y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (frozen, "model must have parameters that learn; got none"),
        (gone, "loss must have its graph: ask before `backward`"),
        (hidden, "loss must be computed with use_reentrant=False"),
        (lambda: (nn.Linear(8, 4), Net()(X).sum()), "loss must come of the model; got a graph"),
        (lambda: (nn.LazyLinear(4), Net()(X).sum()), "model must have been called once; got"),
        (lambda: (Spectrum(), Spectrum().filter.sum()), "loss must be one real number"),
    ],
)
def test_a_gradient_by_layer_that_cannot_be_had_is_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        gradient_flow(*make())


def test_the_gradient_by_layer_of_complex_and_of_empty_parameters():
    model = Spectrum()
    model.empty = nn.ParameterList([torch.empty(0)])
    loss = F.cross_entropy(model(X), Y)
    found = {each.name: each for each in gradient_flow(model, loss).layers}
    loss.backward()
    assert set(found) == {"", "layer"}
    right = model.filter.grad.abs().double().square().mean().sqrt()
    assert found[""].gradient == pytest.approx(float(right), rel=1e-6)
    assert found[""].parameters == 5
