"""`watch` sees a training, and the training does not see it."""

import copy
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks

import plogq.doctor.runtime.pytorch.watch as watching
from plogq.doctor import gradient_flow, watch
from plogq.doctor.finding import Diagnosis

X, Y = torch.randn(32, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


class Noisy(nn.Module):
    """A model that uses every random generator, and keeps what it computes."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(8, 24), nn.BatchNorm1d(24)
        self.drop, self.last = nn.Dropout(0.3), nn.Linear(24, 4)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.kept = self.norm(self.first(x)).relu()
        shift = random.random() + np.random.random()  # noqa: NPY002
        return self.last(self.drop(self.kept) + 0.01 * shift)


def seeded():
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    return Noisy()


def hooks(module):
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {name: len(getattr(each, name)) for each in module.modules() for name in names}


def trained(model, criterion, steps=6, *, called=None):
    """Train, and return the losses: of a loop with accumulation and an evaluation."""
    called = criterion if called is None else called
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        for part in (slice(0, 20), slice(20, 32)):
            loss = called(model(X[part]), Y[part])
            (loss / 2).backward()
            losses.append(loss.item())
        optimizer.step()
        with torch.no_grad():
            model.eval()
            losses.append(called(model(X), Y).item())
            model.train()
    return losses


def state(model):
    found = {name: each.clone() for name, each in model.state_dict().items()}
    found |= {f"{name}.grad": each.grad.clone() for name, each in model.named_parameters()}
    return found


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("as_function", [False, True])
def test_a_watched_training_is_the_same_to_the_last_bit(as_function):
    criterion = nn.functional.cross_entropy if as_function else nn.CrossEntropyLoss()
    alone = seeded()
    losses = trained(alone, criterion)
    after = torch.get_rng_state(), random.getstate(), np.random.random()  # noqa: NPY002
    model = seeded()
    before = hooks(model), len(_global_optimizer_pre_hooks)
    with watch(model, criterion) as d:
        assert trained(model, criterion, called=d.loss) == losses
    assert d.diagnosis.unread == ()
    assert [each.code for each in d.diagnosis.findings] == ["PQ205"]
    assert same(state(model), state(alone))
    assert torch.equal(torch.get_rng_state(), after[0])
    assert (random.getstate(), np.random.random()) == after[1:]  # noqa: NPY002
    assert (model.calls, model.training) == (alone.calls, alone.training)
    assert (hooks(model), len(_global_optimizer_pre_hooks)) == before


def test_no_hook_stays_after_an_exception():
    model, criterion = seeded(), nn.CrossEntropyLoss()
    before = hooks(model), hooks(criterion)

    def fails():
        with watch(model, criterion):
            criterion(model(X), Y).backward()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (hooks(model), hooks(criterion)) == before


def test_a_question_that_fails_is_said_and_the_training_goes_on(monkeypatch):
    def fails(*args, **kwargs):
        torch.rand(5)
        raise RuntimeError("no memory\nat all")

    for name in ("look", "accumulated", "named"):
        monkeypatch.setattr(watching, name, fails)
    for name in ("mode_losses", "half_precision", "overfit", "shuffled_labels", "split_batch"):
        monkeypatch.setattr(watching.probes, name, fails)
    criterion = nn.CrossEntropyLoss()
    losses = trained(seeded(), criterion)
    model = seeded()
    with watch(model, criterion) as d:
        assert trained(model, criterion) == losses
    assert ("the loss", "could not be looked at: RuntimeError: no memory") in {
        (each.path, each.reason) for each in d.diagnosis.unread
    }


@pytest.mark.filterwarnings("ignore")  # of what dynamo itself traces
@pytest.mark.parametrize("part", ["model", "loss", "backward", "update"])
def test_under_compile(part):
    """Compiled are the model, or a function with the loss too, and backward, and the update."""
    criterion = nn.CrossEntropyLoss()

    def run(look):
        torch.manual_seed(1)
        torch.compiler.reset()
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        called = torch.compile(model, backend="eager", fullgraph=True) if part == "model" else model

        def step(x, y):
            loss = criterion(called(x), y)
            if part in ("backward", "update"):
                loss.backward()
            if part == "update":
                optimizer.step()
            return loss

        compiled = step if part == "model" else torch.compile(step, backend="eager")
        before = hooks(model), hooks(called), hooks(criterion), len(_global_optimizer_pre_hooks)
        d = watch(called, criterion)
        if look:
            d.start()
        for _ in range(4):
            optimizer.zero_grad()
            loss = compiled(X, Y)
            if part in ("model", "loss"):
                loss.backward()
            if part != "update":
                optimizer.step()
        d.stop()
        after = hooks(model), hooks(called), hooks(criterion), len(_global_optimizer_pre_hooks)
        assert before == after
        return d, state(model)

    (_, alone), (d, found) = run(False), run(True)
    assert same(alone, found)
    said = [each.reason for each in d.diagnosis.unread]
    assert said == ([] if part == "model" else [f"was not seen to be called: {watching.COMPILED}"])


def test_a_model_with_its_own_loss():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(8, 4)

        def forward(self, x, labels=None):
            logits = self.body(x)
            loss = nn.functional.cross_entropy(logits.softmax(1), labels)
            return {"loss": loss, "logits": logits.softmax(1)}

    torch.manual_seed(0)
    model = Own()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model) as d:
        for _ in range(3):
            optimizer.zero_grad()
            model(X, labels=Y)["loss"].backward()
            optimizer.step()
    assert [each.code for each in d.diagnosis.findings] == ["PQ101"]


def test_a_loss_of_many_numbers_is_said_in_a_sentence():
    model, criterion = nn.Linear(8, 4), nn.CrossEntropyLoss(reduction="none")
    with watch(model, criterion) as d:
        criterion(model(X), Y).mean().backward()
    (said,) = d.diagnosis.unread
    assert said.reason == "must be one number; got shape (32,), whose mean is looked at"


def test_nothing_was_called():
    with watch(nn.Linear(8, 4), nn.functional.cross_entropy) as d:
        pass
    (said,) = d.diagnosis.unread
    assert said.reason == "was not seen to be called: call the function as d.loss(outputs, target)"


@pytest.mark.parametrize(
    ("model", "loss", "options", "message"),
    [
        ("net", None, {}, "model must be a module of PyTorch; got str"),
        (nn.Linear(2, 2), 3, {}, "loss_fn must be a function or a module; got int"),
        (nn.Linear(2, 2), None, {"steps": 0}, "steps must be at least 1; got 0"),
        (nn.Linear(2, 2), None, {"select": ["PQ299"]}, "select must hold codes of checks"),
    ],
)
def test_what_cannot_be_watched_is_refused(model, loss, options, message):
    with pytest.raises((TypeError, ValueError), match=message.replace("(", r"\(")):
        watch(model, loss, **options)


def test_the_forms_of_a_diagnosis(capsys):
    model, criterion = nn.Sequential(nn.Linear(8, 4), nn.Softmax(1)), nn.CrossEntropyLoss()
    with watch(model, criterion) as d:
        criterion(model(X), Y).backward()
    d.report()
    printed = capsys.readouterr().out
    assert "PQ101" in printed
    assert "1 call of the loss and 0 updates of Sequential, under CrossEntropyLoss" in str(d)
    assert "PQ101" in d.html()
    assert "PQ101" in d._repr_mimebundle_()["text/html"]
    assert Diagnosis.read(d.diagnosis.to_document()) == d.diagnosis


def test_a_nan_of_a_later_step_is_found_at_its_module():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for turn in range(20):
            x = X.clone()
            if turn == 15:
                x[3, 2] = float("nan")
            optimizer.zero_grad()
            criterion(model(x), Y).backward()
            optimizer.step()
    (found,) = [each for each in d.diagnosis.findings if each.code == "PQ204"]
    assert found.where.what == "step 16"
    assert "0 (Linear), and it is given them" in found.evidence[1]


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("first", [0, 5])
def test_a_loss_of_eval_mode_counts_where_it_is_learnt_from(learns, first):
    model, criterion = seeded(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, criterion, probes=False) as d:
        for turn in range(8):
            model.train(turn < first)
            loss = criterion(model(X), Y)  # without no_grad
            if not learns and turn >= first:
                model.train()
                loss = criterion(model(X), Y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    found = [finding.code for finding in d.diagnosis.findings]
    assert ("PQ209" in found) == learns
    assert d.diagnosis.unread == ()


def test_a_batch_in_a_tuple_is_cut_as_one():
    class OfTwo(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(16, 4)

        def forward(self, both):
            return self.layer(torch.cat(both, 1))

    torch.manual_seed(0)
    model, criterion = OfTwo(), nn.CrossEntropyLoss()
    with watch(model, criterion) as d:
        criterion(model((X, X)), Y).backward()
    assert d.diagnosis.unread == ()


def test_gradients_of_layers_are_those_of_the_model():
    torch.manual_seed(0)
    model, criterion = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 4)), nn.MSELoss()
    target = torch.randn(32, 4)
    with watch(model, criterion) as d:
        criterion(model(X), target).backward()
    (step,) = d._torch.training().steps
    twin = copy.deepcopy(model).double()
    hidden = twin[0](X.double())
    out = twin[2](hidden.tanh())
    right = torch.autograd.grad((out - target.double()).square().mean(), [hidden, out])
    assert [each.name for each in step.layers] == ["0", "2"]
    for layer, gradient in zip(step.layers, right, strict=True):
        assert layer.norm == pytest.approx(float(gradient.norm()), rel=1e-5)
    (activation,) = step.activations
    flat = float((1 - hidden.tanh().square() < 0.05).double().mean())
    assert activation.saturated == pytest.approx(flat, abs=1 / 192)


def test_the_gradient_of_one_batch_is_that_of_one_batch():
    torch.manual_seed(0)
    model, criterion = nn.Linear(8, 4), nn.CrossEntropyLoss()
    twin = copy.deepcopy(model).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    labels = Y.clone()
    labels[5:16] = -100
    with watch(model, criterion) as d:
        for part in (slice(0, 16), slice(16, 32)):
            (criterion(model(X[part]), labels[part]) / 2).backward()
        optimizer.step()
    seen = d._torch.training().accumulated
    losses = nn.functional.cross_entropy(twin(X.double()), labels, reduction="none")
    means = [losses[:5].mean(), losses[16:].mean()]
    whole = losses.detach()
    assert seen.rows == (5, 16)
    assert seen.row_weights == pytest.approx((21 / 10, 21 / 32))
    assert seen.one_batch_loss == pytest.approx(float(whole.sum() / 21), rel=1e-6)
    of_means = float(whole[:5].mean() + whole[16:].mean()) / 2
    assert seen.accumulated_loss == pytest.approx(of_means, rel=1e-6)
    one = torch.autograd.grad(losses.sum() / 21, twin.weight, retain_graph=True)[0]
    two = torch.autograd.grad(sum(means) / 2, twin.weight)[0]
    assert seen.gradient_difference == pytest.approx(
        float((two - one).norm() / one.norm()), rel=0.1
    )


@pytest.mark.parametrize("held", ["object", "dict"])
def test_a_model_that_an_object_of_the_loss_holds_is_left_alone(held):
    class Trainer:
        def __init__(self, judge):
            self.judge, self.calls = judge, 0

    judge = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    trainer = Trainer(judge)
    parts = {"judge": judge}

    def criterion(outputs, target):
        judged = (trainer.judge if held == "object" else parts["judge"])(outputs)
        return nn.functional.cross_entropy(judged, target)

    model = nn.Linear(8, 4)
    with watch(model, criterion) as d:
        for _ in range(3):
            d.loss(model(X), Y).backward()
    assert d.diagnosis.unread == ()
    assert int(judge[1].num_batches_tracked) == 3


@pytest.mark.parametrize("watched", ["judge", "maker"])
def test_other_models_of_the_training_are_left_alone(watched):
    """The batch has a graph of another model, or the loss is computed by one."""

    def run(look):
        torch.manual_seed(5)
        maker = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
        judge = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
        both = {"judge": judge, "maker": maker}
        optimizers = [torch.optim.Adam(each.parameters(), lr=0.01) for each in both.values()]
        losses = nn.functional.binary_cross_entropy_with_logits

        def judged(fake, target):
            return losses(judge(fake), target)

        d = watch(both[watched], losses if watched == "judge" else judged)
        loss = {"judge": losses, "maker": judged} | ({watched: d.loss} if look else {})
        if look:
            d.start()
        for _ in range(4):
            fake = maker(torch.randn(16, 3))
            for each in optimizers:
                each.zero_grad()
            if watched == "judge":
                loss["judge"](judge(fake), torch.ones(16, 1)).backward()
            else:
                loss["maker"](fake, torch.ones(16, 1)).backward()
            for each in optimizers:
                each.step()
        d.stop()
        assert not look or d.diagnosis.unread == ()
        return {f"{name}.{key}": x for name, each in both.items() for key, x in state(each).items()}

    assert same(run(False), run(True))


def test_the_gradient_by_layer_is_torchs_own():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 4), nn.Linear(4, 4))
    loss = nn.functional.cross_entropy(model[2](model[1](model[0](X))), Y)
    flow = gradient_flow(model, loss)
    assert all(each.grad is None for each in model.parameters())
    loss.backward()
    assert [(each.name, each.zero) for each in flow.layers] == [("0", 0.0), ("2", 0.0), ("3", 1.0)]
    for layer, module in zip(flow.layers[:2], (model[0], model[2]), strict=True):
        both = torch.cat([module.weight.grad.flatten(), module.bias.grad])
        assert layer.gradient == pytest.approx(float(both.double().square().mean().sqrt()))
        assert layer.parameters == both.numel()
    assert "Linear" in flow._repr_html_()
    assert type(flow).read(flow.to_document()) == flow


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        ("net", torch.ones(()), "model must be a module of PyTorch; got str"),
        (nn.Linear(2, 2), 1.5, "loss must be a tensor; got float"),
        (nn.Linear(2, 2), torch.ones(3), "loss must be one real number with a graph; got shape"),
    ],
)
def test_what_has_no_gradient_by_layer_is_refused(model, loss, message):
    with pytest.raises((TypeError, ValueError), match=message):
        gradient_flow(model, loss)


@pytest.mark.parametrize("framework", ["jax", "keras"])
def test_a_framework_that_is_not_installed_is_named(framework):
    program = f"import sys; sys.modules[{framework!r}] = None; import plogq.doctor.{framework}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert f"plogq.doctor.{framework} needs {framework}, which is not installed" in done.stderr
