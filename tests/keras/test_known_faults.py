"""Faults of Keras 3.15 that are known: its value, and ours beside it, on this backend."""

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.keras as pk  # noqa: E402

L = keras.losses
X = np.array([[[2.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 0.5]]], "float32")
Y = np.array([[0, 0], [1, 1]])
ROWS = np.array([[0.126928, 1.313262], [3.048587, 0.474077]])
LOGITS = {"from_logits": True}


def both(name, *given, **options):
    """Give Keras's answer, and ours, or the error of ours."""
    theirs = _numbers(getattr(L, name)(**options)(*given))
    try:
        return theirs, _numbers(getattr(pk, name)(**options)(*given))
    except ValueError as error:
        return theirs, str(error)


def _numbers(x):
    x = keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))
    return float(x) if x.ndim == 0 else x


def near(found, right):
    return np.allclose(found, right, rtol=1e-5)


def test_a_weighted_mean_divides_by_the_weights_that_it_multiplied():
    w = np.array([[1.0], [3.0]], "float32")
    theirs, ours = both(
        "SparseCategoricalCrossentropy", Y, X, w, reduction="mean_with_sample_weight", **LOGITS
    )
    right = (w * ROWS).sum() / (2 * w.sum())
    assert near(ours, right)
    assert near(theirs, 2 * right)


def test_weights_by_sample_meet_their_own_rows():
    w = np.array([1.0, 3.0], "float32")
    theirs, ours = both("SparseCategoricalCrossentropy", Y, X, w, reduction="none", **LOGITS)
    assert near(ours, w[:, None] * ROWS)
    assert near(theirs, w * ROWS)  # along the wrong axis


def test_a_weight_of_0_has_no_say():
    x, y = np.array([[0.0, -np.inf], [1.0, 0.0]], "float32"), np.array([1, 0])
    w = np.array([0.0, 1.0], "float32")
    theirs, ours = both("SparseCategoricalCrossentropy", y, x, w, **LOGITS)
    assert near(ours, math.log1p(math.exp(-1)) / 2)
    assert math.isnan(theirs)
    zeros = both(
        "SparseCategoricalCrossentropy",
        y,
        x,
        0 * w,
        reduction="mean_with_sample_weight",
        **LOGITS,
    )
    assert zeros == (0, 0)  # Keras 3.15 has it right


def test_one_unit_is_no_category():
    with pytest.warns(SyntaxWarning, match="num_classes > 1"):
        theirs, ours = both("CategoricalCrossentropy", np.zeros((1, 1)), np.full((1, 1), 0.3))
    assert theirs == 0
    assert ours.startswith("y_pred must have two classes or more; one unit is for Binary")


def test_logits_are_no_probabilities():
    x, t = np.array([[2.0, -1.0, 0.5]], "float32"), np.array([[1.0, 0.0, 0.0]], "float32")
    theirs, ours = both("CategoricalCrossentropy", t, x)
    assert theirs < 2e-7
    assert ours == (
        "y_pred must be probabilities that sum to 1; from_logits=True takes logits; "
        "got [2, -1, 0.5], which sums to 1.5 (first at row 0)"
    )


def test_nothing_is_renormalised_in_silence():
    p, t = np.array([[0.2, 0.2, 0.4]], "float32"), np.array([[1.0, 0.0, 0.0]], "float32")
    theirs, ours = both("CategoricalCrossentropy", t, p)
    assert near(theirs, math.log(4))
    assert "which sums to 0.8" in ours


@pytest.mark.parametrize(("label", "right"), [(0, 50.0), (1, 36.0)])
def test_logits_and_probabilities_of_one_model_agree(label, right):
    x, y = np.array([[0.0, 14.0, 50.0]], "float32"), np.array([label])
    p = np.exp(x - 50)
    theirs, ours = both("SparseCategoricalCrossentropy", y, p)
    assert near(both("SparseCategoricalCrossentropy", y, x, **LOGITS), right)
    assert near(ours, right)
    assert near(theirs, 16.118)


def test_a_small_probability_is_not_clipped(value_and_gradient):
    p, t = np.array([[1e-9]], "float32"), np.ones((1, 1), "float32")
    theirs, ours = both("BinaryCrossentropy", t, p)
    assert near(theirs, 16.118)
    assert near(ours, 20.7233)
    given = keras.ops.convert_to_tensor(p)
    assert near(value_and_gradient(lambda p: pk.BinaryCrossentropy()(t, p), given)[1], -1e9)
    assert value_and_gradient(lambda p: L.BinaryCrossentropy()(t, p), given)[1] == 0


@pytest.mark.parametrize(
    ("name", "right"), [("CategoricalFocalCrossentropy", 25.0), ("BinaryFocalCrossentropy", 100.0)]
)
def test_the_focal_loss_of_logits_is_not_clipped(name, right):
    t, x = (np.array(rows, "float32") for rows in ([[1, 0]], [[-100, 0]]))
    if name == "BinaryFocalCrossentropy":
        t, x = t[:, :1], x[:, :1]
    theirs, ours = both(name, t, x, **LOGITS)
    assert near(ours, right)
    # On TensorFlow, Keras finds the logits of a sigmoid again.
    assert theirs < 0.17 * right or keras.backend.backend() == "tensorflow"


def test_what_is_impossible_costs_inf_in_a_divergence():
    t, p = np.array([[0.5, 0.5]], "float32"), np.array([[1.0, 0.0]], "float32")
    theirs, ours = both("KLDivergence", t, p)
    assert near(theirs, 7.3659)
    assert ours == math.inf
    assert near(both("KLDivergence", p, t)[1], math.log(2))


def test_a_label_is_not_rounded_to_a_half_dtype():
    x = np.zeros((1, 1000), "float32")
    x[0, 999] = 5
    loss = pk.SparseCategoricalCrossentropy(dtype="bfloat16", **LOGITS)
    assert near(_numbers(loss(np.array([999]), x)), math.log(999 * math.exp(-5) + 1))
    big = np.zeros((1, 70000), "float16")
    loss = pk.SparseCategoricalCrossentropy(dtype="float16", **LOGITS)
    assert near(_numbers(loss(np.array([69999]), big)), math.log(70000))


def test_targets_that_are_no_probabilities():
    t, x = np.array([[2.0, -1.0]], "float32"), np.array([[1.0, 0.0]], "float32")
    for name, said in (
        ("CategoricalCrossentropy", "y_true must be probabilities that sum to 1; got [2, -1]"),
        ("BinaryCrossentropy", "y_true must be in [0, 1]; got 2 (first at row (0, 0))"),
    ):
        theirs, ours = both(name, t, x, **LOGITS)
        assert theirs < 1
        assert ours.startswith(said)


def test_a_mask_of_elements_leaves_them_out():
    t, x = np.array([[1.0, 0.0, 1.0]], "float32"), np.array([[0.4, 50.0, 0.8]], "float32")
    given = keras.ops.convert_to_tensor(x)
    given._keras_mask = keras.ops.convert_to_tensor(np.array([[True, False, True]]))
    kept = np.log1p(np.exp(-x[0, [0, 2]]))
    theirs, ours = both("BinaryCrossentropy", t, given, **LOGITS)
    assert near(ours, kept.mean())
    assert theirs > 10


def test_what_is_left_out_may_hold_nan(value_and_gradient):
    x = np.array([[np.nan, np.nan], [1.0, 0.0]], "float32")
    right = math.log1p(math.exp(-1))
    loss = pk.SparseCategoricalCrossentropy(ignore_class=-1, **LOGITS)
    value, gradient = value_and_gradient(
        lambda x: loss(np.array([-1, 0]), x), keras.ops.convert_to_tensor(x)
    )
    assert near(value, right)
    assert (gradient[0] == 0).all()
    assert np.isfinite(gradient).all()
    theirs = L.SparseCategoricalCrossentropy(ignore_class=-1, **LOGITS)
    assert near(_numbers(theirs(np.array([-1, 0]), x)), right)  # Keras 3.15 has it right
    assert _numbers(loss(np.array([-1, -1]), x)) == 0
    probs = pk.SparseCategoricalCrossentropy(ignore_class=-1)
    value, gradient = value_and_gradient(
        lambda p: probs(np.array([-1, 0]), p),
        keras.ops.convert_to_tensor(np.array([[np.nan, np.nan], [0.5, 0.5]], "float32")),
    )
    assert near(value, math.log(2))
    assert (gradient[0] == 0).all()
    assert near(gradient[1, 0], -2)


def test_class_weights_of_rows_within_a_sample():
    """Keras's `fit` takes the labels (2, 2) for one-hot rows, and weighs them by their argmax."""
    loss = pk.SparseCategoricalCrossentropy(
        class_weight={1: 5.0}, reduction="mean_with_sample_weight", **LOGITS
    )
    w = np.where(Y == 1, 5.0, 1.0)
    assert near(_numbers(loss(Y, X)), (w * ROWS).sum() / w.sum())
    same = pk.CategoricalCrossentropy(
        class_weight=[1.0, 5.0], reduction="mean_with_sample_weight", **LOGITS
    )
    assert near(_numbers(same(np.eye(2)[Y], X)), (w * ROWS).sum() / w.sum())


def test_labels_can_be_smoothed(value_and_gradient):
    given = keras.ops.convert_to_tensor(X)
    sparse = pk.SparseCategoricalCrossentropy(label_smoothing=0.2, **LOGITS)
    whole = L.CategoricalCrossentropy(label_smoothing=0.2, **LOGITS)
    t = np.eye(2, dtype="float32")[Y]
    ours = value_and_gradient(lambda x: sparse(Y, x), given)
    theirs = value_and_gradient(lambda x: whole(t, x), given)
    assert all(np.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(ours, theirs, strict=True))
    with pytest.raises(TypeError, match="label_smoothing"):
        L.SparseCategoricalCrossentropy(label_smoothing=0.2)
