"""Which engine answers: on a CPU the native one, of the door that the backend is."""

from importlib import import_module

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.keras as pk  # noqa: E402

BACKEND = keras.backend.backend()
X = np.array([[2.0, 0.5, -1.0], [0.0, 1.0, 0.0]], "float32")
LABELS, ONE_HOT = np.array([0, 2]), np.eye(3, dtype="float32")[[0, 2]]
LOSSES = {
    "labels": (pk.SparseCategoricalCrossentropy, LABELS, {}),
    "smoothed": (pk.SparseCategoricalCrossentropy, LABELS, {"label_smoothing": 0.1}),
    "ignored": (pk.SparseCategoricalCrossentropy, LABELS, {"ignore_class": 2}),
    "distributions": (pk.CategoricalCrossentropy, ONE_HOT, {}),
    "focal": (pk.SparseCategoricalFocalCrossentropy, LABELS, {}),
}


@pytest.mark.skipif(BACKEND == "tensorflow", reason="the formulas answer there")
@pytest.mark.parametrize("name", LOSSES)
def test_the_native_engine_answers(name, value_and_gradient):
    loss, target, options = LOSSES[name]
    with import_module(f"plogq.{BACKEND}.engines").ENGINES.seen() as seen:
        value_and_gradient(
            lambda x: loss(from_logits=True, **options)(target, x), keras.ops.convert_to_tensor(X)
        )
    assert set(seen) == {"native"}
