"""Bad input is refused in one sentence; where values cannot be seen, its row is NaN."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.keras as pk  # noqa: E402

X, P = np.array([[2.0, 0.5, -1.0], [0.0, 0.0, 0.0]]), np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
SPARSE = pk.sparse_categorical_crossentropy
SAID = {
    "y_true must be a class index in [0, 3); got 3 (first at row 1)": lambda: SPARSE([0, 3], P),
    "y_true must be a class index in [0, 3); got 0.5 (first at row 1)":
        lambda: SPARSE([0.0, 0.5], P),
    "y_true must be a class index in [0, 3) or the ignore_class -1; got -2 (first at row 1)":
        lambda: SPARSE([-1, -2], P, ignore_class=-1),
    "y_true must be class indices of shape (2,); got shape (3,)": lambda: SPARSE([0, 1, 2], P),
    "y_true must be distributions of y_pred's shape (2, 3); got shape (2,)":
        lambda: pk.categorical_crossentropy([0, 1], P),
    "y_pred must have an axis 2; got shape (2, 3)": lambda: SPARSE([0, 1], P, axis=2),
    "y_pred must be float16, bfloat16, float32, float64; got int32":
        lambda: SPARSE([0, 1], X.astype("int32")),
    "mask must have the rows' shape (2,); got (3,)":
        lambda: SPARSE([0, 1], P, mask=np.ones(3, bool)),
    "mask must be bool; got int32": lambda: SPARSE([0, 1], P, mask=np.ones(2, "int32")),
    "label_smoothing must be in [0, 1]; got 2": lambda: SPARSE([0, 1], P, label_smoothing=2),
    "eps must be at least 0 and below 0.5; got 0.5": lambda: SPARSE([0, 1], P, eps=0.5),
    "eps must be 0 with from_logits=True, where nothing is rounded to 0; got 0.1":
        lambda: SPARSE([0, 1], X, from_logits=True, eps=0.1),
    "class_weight must be one number per class, shape (3,); got shape (2,)":
        lambda: SPARSE([0, 1], P, class_weight=[1, 2]),
    "class_weight must have classes in [0, 3) as its keys; got 3":
        lambda: SPARSE([0, 1], P, class_weight={3: 2.0}),
    "class_weight must be finite and not negative; got -1.0 (first at row 1)":
        lambda: SPARSE([0, 1], P, class_weight=[1, -1, 1]),
    "gamma must be at least 0 and finite; got -1":
        lambda: pk.sparse_categorical_focal_crossentropy([0, 1], P, gamma=-1),
    "ignore_class must be an integer; got 0.5": lambda: SPARSE([0, 1], P, ignore_class=0.5),
    "y_true must have the shape of y_pred (2, 3); got (2,)":
        lambda: pk.binary_crossentropy([0, 1], P),
    "y_pred must be in [0, 1]; from_logits=True takes logits; got 2 (first at row (0, 0))":
        lambda: pk.binary_crossentropy(P, X),
    "alpha must be in [0, 1]; got 2": lambda: pk.distillation(X, X, alpha=2),
    "temperature must be in [1e-30, 1e30]; got 0": lambda: pk.distillation(X, X, temperature=0),
    "y_true must be logits of shape (2, 3), or these with a label after the last class; "
    "got shape (2, 2)": lambda: pk.distillation(X[:, :2], X),
    "sample_weight must fit the losses (2,), from their first axis on; got (3,)":
        lambda: pk.SparseCategoricalCrossentropy()([0, 1], P, np.ones(3)),
    "reduction must be one of 'sum_over_batch_size', 'mean', 'mean_with_sample_weight', 'sum', "
    "'none', None; got 'average'": lambda: pk.KLDivergence(reduction="average"),
    "num_classes must be at least 2; got 1": lambda: pk.InformationGain(1),
}  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_bad_input(said):
    with pytest.raises((ValueError, TypeError)) as error:
        SAID[said]()
    assert str(error.value) == said


T = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
CASES = {
    "label": (SPARSE, np.array([0, 3]), X, {"from_logits": True}),
    "label of probabilities": (SPARSE, np.array([0, 3]), P, {}),
    "logits": (SPARSE, np.array([0, 0]), np.stack([P[0], X[0]]), {}),
    "distribution": (
        pk.categorical_crossentropy,
        T,
        X,
        {"from_logits": True},
    ),
    "target": (pk.binary_crossentropy, T, X, {"from_logits": True}),
}


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch traces nothing here")
@pytest.mark.parametrize("case", CASES)
def test_a_row_at_fault_is_nan_where_keras_traces(case):
    function, target, x, options = CASES[case]
    call = lambda x: function(target, x, **options)  # noqa: E731
    with pytest.raises(ValueError, match="must be"):
        call(x)
    x = keras.ops.convert_to_tensor(x)
    if keras.backend.backend() == "jax":
        import jax

        value, gradient = jax.jit(call)(x), jax.jit(jax.grad(lambda x: call(x).sum()))(x)
    else:
        import tensorflow as tf

        @tf.function
        def both(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = call(x)
            return value, tape.gradient(value, x)

        value, gradient = both(x)
    value, gradient = (keras.ops.convert_to_numpy(a) for a in (value, gradient))
    assert np.isfinite(value[0])
    assert np.isfinite(gradient[0]).all()
    assert np.isnan(value[1])
    assert np.isnan(gradient[1]).any()


def test_no_second_derivative_is_silent():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("jax and torch have second derivatives")
    import tensorflow as tf

    x = tf.constant(X)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = SPARSE([0, 1], x, from_logits=True)
        gradient = inner.gradient(loss, x)
    with pytest.raises(NotImplementedError, match="no second derivatives on TensorFlow"):
        outer.gradient(gradient, x)
