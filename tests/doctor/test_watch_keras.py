"""The doctor beside `fit`, on the backend of Keras: it sees a training, which does not see it."""

import random

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from plogq.doctor.finding import Diagnosis  # noqa: E402
from plogq.doctor.keras import WatchCallback  # noqa: E402
from plogq.doctor.runtime.keras import gradients as backend_gradients  # noqa: E402

R = np.random.default_rng(0)
X, Y = R.normal(size=(64, 8)).astype("float32"), np.arange(64) % 4
L = keras.layers
Sparse = keras.losses.SparseCategoricalCrossentropy


def net(activation=None, hidden="relu", depth=1, extra=()):
    keras.utils.set_random_seed(1)
    body = [L.Dense(16, activation=hidden) for _ in range(depth)]
    return keras.Sequential([keras.Input((8,)), *body, *extra, L.Dense(4, activation=activation)])


def noisy():
    keras.utils.set_random_seed(1)
    return net(extra=[L.BatchNormalization(), L.Dropout(0.2), L.Dropout(0.1, seed=3)])


def fitted(model, loss, *callbacks, x=X, y=Y, **options):
    options = {"batch_size": 16, "epochs": 2, "verbose": 0, "shuffle": False} | options
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    keras.utils.set_random_seed(2)
    return model.fit(x, y, callbacks=list(callbacks), **options)


def found_in(model, loss, x=X, y=Y, watch=None, **options):
    """Return what is found in a training."""
    look = WatchCallback(**({"probes": False} if watch is None else watch))
    fitted(model, loss, look, x=x, y=y, **options)
    assert look.diagnosis.unread == ()
    return [each.code for each in look.diagnosis.findings]


def test_a_watched_training_is_the_same_to_the_last_bit():
    alone = noisy()
    history = fitted(alone, Sparse(from_logits=True))
    after = random.getstate(), np.random.random()  # noqa: NPY002
    model, look = noisy(), WatchCallback(untrained=True)
    seen = fitted(model, Sparse(from_logits=True), look)
    assert (random.getstate(), np.random.random()) == after  # noqa: NPY002
    assert seen.history == history.history
    assert all(map(np.array_equal, model.get_weights(), alone.get_weights()))
    pairs = zip(model.optimizer.variables, alone.optimizer.variables, strict=True)
    assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)
    assert model.train_function.__module__.startswith("keras.")
    assert not any("call" in vars(layer) for layer in model.layers)
    assert (look.diagnosis.unread, look.diagnosis.findings) == ((), ())
    assert "8 steps of Sequential, under SparseCategoricalCrossentropy" in str(look.diagnosis)
    assert Diagnosis.read(look.diagnosis.to_document()) == look.diagnosis
    losses = look._watch._losses
    assert [each.loss for each in look._watch._looked] == pytest.approx(losses[:3], rel=1e-4)


@pytest.mark.filterwarnings("ignore:.*from_logits")
@pytest.mark.parametrize(
    ("activation", "loss", "code"),
    [
        ("softmax", Sparse(from_logits=True), "PQ101"),
        (None, Sparse(), "PQ103"),
        ("softmax", Sparse(), None),
        ("softmax", "sparse_categorical_crossentropy", None),
        (None, "sparse_categorical_crossentropy", "PQ103"),
    ],
)
def test_what_the_loss_is_given(activation, loss, code):
    assert found_in(net(activation), loss) == ([] if code is None else [code])


def test_one_hot_targets_and_plogqs_own_losses():
    pk = pytest.importorskip("plogq.keras")
    hot = np.eye(4, dtype="float32")[Y]
    loss = pk.CategoricalCrossentropy(from_logits=True)
    assert found_in(net("softmax"), loss, y=hot) == ["PQ101"]
    assert found_in(net(), loss, y=hot) == []


def test_labels_that_are_no_class():
    look = WatchCallback(probes=False)
    try:
        fitted(net("softmax"), Sparse(), look, y=Y + 1)
    except Exception:
        assert keras.backend.backend() in ("torch", "tensorflow")
    assert "PQ107" in [each.code for each in look.diagnosis.findings]


def test_a_first_loss_far_from_that_of_no_knowledge():
    model = net()
    model.layers[-1].kernel.assign(100 * model.layers[-1].kernel)
    assert found_in(
        model, Sparse(from_logits=True), watch={"probes": False, "untrained": True}
    ) == ["PQ115"]


@pytest.mark.slow
def test_layers():
    deep = net(hidden="sigmoid", depth=12)
    assert "PQ201" in found_in(deep, Sparse(from_logits=True))
    flat = net(hidden="tanh")
    flat.layers[0].kernel.assign(1000 * flat.layers[0].kernel)
    assert "PQ203" in found_in(flat, Sparse(from_logits=True))


def test_gradients_at_layers_are_those_of_the_loss():
    """Of the last layer it is (p − t) / N, and of that before it what the last one sends back."""
    model, look = net(), WatchCallback(probes=False, steps=1)
    kernel, bias = [np.asarray(each, dtype=np.float64) for each in model.layers[0].get_weights()]
    last, shift = [np.asarray(each, dtype=np.float64) for each in model.layers[1].get_weights()]
    fitted(model, Sparse(from_logits=True), look, batch_size=64, epochs=1)
    hidden = np.maximum(X @ kernel + bias, 0)
    logits = hidden @ last + shift
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    at_last = (p - np.eye(4)[Y]) / 64
    (step,) = look._watch._looked
    assert [each.name.rpartition("/")[2] for each in step.layers] == [
        each.name for each in model.layers
    ]
    right = [np.linalg.norm(at_last @ last.T), np.linalg.norm(at_last)]
    assert [each.norm for each in step.layers] == pytest.approx(right, rel=1e-4)


@pytest.mark.slow
def test_inputs_that_do_not_arrive_and_a_sum():
    assert "PQ208" in found_in(net(extra=[L.Dropout(0.2)]), Sparse(from_logits=True), x=0 * X,
                               watch={})  # fmt: skip
    loss = Sparse(from_logits=True, reduction="sum")
    assert "PQ207" in found_in(net(), loss, watch={})


@pytest.mark.slow
def test_labels_that_do_not_reach_the_loss():
    weights = np.zeros(64, dtype="float32")
    found = found_in(net(), Sparse(from_logits=True), watch={}, sample_weight=weights, epochs=1)
    assert "PQ206" in found


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_layer_without_gradient():
    class Stop(L.Layer):
        def call(self, x):
            return keras.ops.stop_gradient(x)

    assert "PQ215" in found_in(net(extra=[Stop()]), Sparse(from_logits=True))


def test_where_a_number_is_not_finite_first():
    class Log(L.Layer):
        def call(self, x):
            return keras.ops.log(x - 1)

    look = WatchCallback(probes=False)
    model = net(extra=[Log(name="log")])
    fitted(model, Sparse(from_logits=True), look)
    (found,) = [each for each in look.diagnosis.findings if each.code == "PQ204"]
    assert "log (Log)" in found.evidence[1]


def test_a_nan_of_a_later_step_is_told_without_its_place():
    look = WatchCallback(probes=False, steps=1)
    x = X.copy()
    # The hidden units are infinite, and NaN comes behind them: of NaN in a hidden unit oneDNN makes
    # 0 where a function of TensorFlow fuses the product with bias and ReLU.
    x[40], x[40, 0] = 0, np.inf
    fitted(net(), Sparse(from_logits=True), look, x=x)
    (found,) = look.diagnosis.findings
    assert (found.code, found.where.what) == ("PQ204", "step 3")


def test_a_nan_that_fit_does_not_have_is_no_finding():
    """A fused product of TensorFlow makes 0 of NaN; here the logs tell another loss."""

    class Tells(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logs["loss"] = 1.4

    x = X.copy()
    x[2] = np.nan
    look = WatchCallback(probes=False)
    fitted(net(), Sparse(from_logits=True), Tells(), look, x=x)
    assert look.diagnosis.findings == ()
    (said,) = look.diagnosis.unread
    assert "the loss is nan where fit has 1.4; a compiled product can make 0 of NaN" in said.reason


@pytest.mark.slow
def test_a_loss_that_settles_at_the_base_rates():
    look = WatchCallback(probes=False)
    x = np.zeros_like(X)
    fitted(net(), Sparse(from_logits=True), look, x=x, epochs=20)
    assert "PQ213" in [each.code for each in look.diagnosis.findings]
    curve = look._watch._losses
    assert len(curve) == 80
    assert curve[-1] == pytest.approx(np.log(4), abs=0.02)


@pytest.mark.slow
def test_the_last_batch_of_an_epoch_may_be_smaller():
    assert found_in(net(), Sparse(from_logits=True), x=X[:40], y=Y[:40], watch={"steps": 5}) == []


def test_another_callback_that_fails_leaves_no_trace():
    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise ZeroDivisionError

    model = net()
    with pytest.raises(ZeroDivisionError):
        fitted(model, Sparse(from_logits=True), Fails(), WatchCallback(probes=False))
    assert model.train_function.__module__.startswith("keras.")


def test_a_question_that_fails_is_said_and_the_training_goes_on(monkeypatch):
    def fails(*args):
        np.random.random(5)  # noqa: NPY002
        raise RuntimeError("no memory\nat all")

    history = fitted(net(), Sparse(from_logits=True)).history
    monkeypatch.setitem(backend_gradients.WAYS, keras.backend.backend(), fails)
    look = WatchCallback()
    assert fitted(net(), Sparse(from_logits=True), look).history == history
    (said,) = look.diagnosis.unread
    assert (said.path, said.reason) == (
        "the batch", "could not be looked at: RuntimeError: no memory"
    )  # fmt: skip


def test_a_model_that_computes_its_own_loss_is_not_judged_by_another():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.body = L.Dense(4)

        def call(self, x):
            return self.body(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(
                keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
            )

    model = Own()
    model(X[:1])
    assert found_in(model, Sparse()) == []


def test_what_cannot_be_watched_is_refused():
    with pytest.raises(ValueError, match="steps must be at least 1; got 0"):
        WatchCallback(steps=0)
    with pytest.raises(ValueError, match="select must hold codes of checks"):
        WatchCallback(select=["PQ299"])
