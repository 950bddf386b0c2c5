"""Models of Keras with the loss swapped: the same curves, saved and loaded, on this backend."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.keras as pk  # noqa: E402

pytestmark = pytest.mark.slow
R = np.random.default_rng(0)
X, Y = R.normal(size=(96, 8)).astype("float32"), R.integers(0, 4, 96)
TEXT = np.array(list(b"to be or not to be, that is the question: " * 8)) % 32
WINDOWS = np.stack([TEXT[i : i + 17] for i in range(0, 320, 5)])
CLASSES = [name for name in pk.__all__ if name[0].isupper() and name not in ("Loss", "Recalibrate")]
BACKEND = keras.backend.backend()
WAYS = [{}, {"run_eagerly": True}] + ([{"jit_compile": True}] if BACKEND != "torch" else [])


def mlp(outputs=4, activation=None, dtype=None):
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(16, "relu", dtype=dtype)
    return keras.Sequential(
        [keras.Input((8,)), hidden, keras.layers.Dense(outputs, activation, dtype=dtype)]
    )


class Causal(keras.layers.Layer):
    """One block of attention over the characters so far."""

    def __init__(self):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(2, 8)
        self.norm = keras.layers.LayerNormalization()
        self.dense = keras.layers.Dense(16, "relu")

    def call(self, x):
        x = x + self.attention(x, x, use_causal_mask=True)
        return x + self.dense(self.norm(x))


def transformer():
    keras.utils.set_random_seed(1)
    given = keras.Input((16,), dtype="int32")
    x = keras.layers.Embedding(32, 16)(given)
    return keras.Model(given, keras.layers.Dense(32)(Causal()(x)))


def curve(model, loss, x, y, way, **options):
    model.compile(keras.optimizers.Adam(0.01), loss, **way)
    return model.fit(x, y, batch_size=40, epochs=3, verbose=0, **options).history["loss"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "weights", [{}, {"class_weight": {0: 2.0, 1: 0.5}}, {"sample_weight": Y.astype("float32")}]
)
def test_mlp(way, weights):
    options = {"from_logits": True}
    theirs = keras.losses.SparseCategoricalCrossentropy(**options)
    ours = pk.SparseCategoricalCrossentropy(**options)
    right = curve(mlp(), theirs, X, Y, way, **weights)
    assert np.allclose(curve(mlp(), ours, X, Y, way, **weights), right, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
        ("CategoricalFocalCrossentropy", {}),
        ("BinaryCrossentropy", {"from_logits": True}),
        ("BinaryFocalCrossentropy", {"from_logits": True}),
        ("KLDivergence", {}),
    ],
)
def test_the_other_losses(name, options):
    t = np.eye(4, dtype="float32")[Y]
    activation = None if "from_logits" in options else "softmax"
    curves = [
        curve(mlp(activation=activation), getattr(losses, name)(**options), X, t, {})
        for losses in (keras.losses, pk)
    ]
    assert np.allclose(*curves, rtol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_character_transformer(way):
    curves = [
        curve(transformer(), loss(from_logits=True), WINDOWS[:, :-1], WINDOWS[:, 1:], way)
        for loss in (
            keras.losses.SparseCategoricalCrossentropy,
            pk.SparseCategoricalCrossentropy,
        )
    ]
    assert np.allclose(*curves, rtol=1e-4)
    assert curves[1][-1] < curves[1][0]


def test_masked_rows_are_not_counted():
    x, y = R.integers(1, 9, (20, 6)), R.integers(0, 4, (20, 6))
    x[:, 4:] = 0
    x[3:9, 1:] = 0

    def model(mask_zero):
        keras.utils.set_random_seed(1)
        return keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Embedding(9, 5, mask_zero=mask_zero),
                keras.layers.Dense(4),
            ]
        )

    ours, plain = model(True), model(False)
    ours.compile("sgd", pk.SparseCategoricalCrossentropy(from_logits=True))
    rows = pk.sparse_categorical_crossentropy(y, plain.predict(x, verbose=0), from_logits=True)
    right = keras.ops.convert_to_numpy(rows)[x != 0].mean()
    assert np.isclose(ours.evaluate(x, y, batch_size=20, verbose=0), right, rtol=1e-5)


def test_half_precision():
    losses = [keras.losses.SparseCategoricalCrossentropy, pk.SparseCategoricalCrossentropy]
    curves = [
        curve(mlp(dtype="mixed_bfloat16"), loss(from_logits=True), X, Y, {}) for loss in losses
    ]
    assert np.allclose(*curves, rtol=2e-2)


def test_a_model_is_saved_with_its_loss_and_metrics(tmp_path):
    loss = pk.SparseCategoricalCrossentropy(
        True, -1, "mean_with_sample_weight", label_smoothing=0.1, class_weight={1: 2.0}
    )
    metrics = [pk.Perplexity(from_logits=True), pk.InformationGain(4, from_logits=True)]
    model = mlp()
    model.compile("adam", loss, weighted_metrics=metrics)
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.loss) is pk.SparseCategoricalCrossentropy
    assert again.loss.get_config() == loss.get_config()
    right = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert np.allclose(
        list(again.evaluate(X, Y, verbose=0, return_dict=True).values()), list(right.values())
    )


@pytest.mark.parametrize("name", CLASSES)
def test_everything_is_made_again_from_its_configuration(name):
    made = getattr(pk, name)(5) if name == "InformationGain" else getattr(pk, name)()
    kept = keras.saving.serialize_keras_object(made)
    assert kept["registered_name"] == f"plogq>{name}"
    again = keras.saving.deserialize_keras_object(kept)
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()


@pytest.mark.skipif(BACKEND != "torch", reason="values can be seen while PyTorch trains")
def test_logits_as_probabilities_are_refused_in_training():
    with pytest.raises(ValueError, match="from_logits=True takes logits"):
        curve(mlp(), pk.SparseCategoricalCrossentropy(), X, Y, {})


@pytest.mark.skipif(BACKEND == "torch", reason="values cannot be seen while these train")
def test_logits_as_probabilities_are_nan_in_training():
    assert np.isnan(curve(mlp(), pk.SparseCategoricalCrossentropy(), X, Y, {})).all()


def test_distillation_in_fit():
    teacher = mlp(4).predict(X, verbose=0) * 3
    y = np.concatenate([teacher, Y[:, None]], axis=1)
    losses = curve(mlp(), pk.Distillation(alpha=0.5), X, y, {})
    assert losses[-1] < losses[0]
