"""A layer that recalibrates the logits before it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from plogq.errors import refuse
from plogq.formulas.recalibration_core import read_recalibration, recalibrated
from plogq.keras.arguments import Tensor, arithmetic, as_floats, sizes
from plogq.keras.losses import registered
from plogq.keras.namespace import xp


@registered
class Recalibrate(keras.layers.Layer):  # type: ignore[misc]
    """Logits, (…, C), to the logarithms of the recalibrated probabilities.

    A softmax of them is these probabilities, and losses take them as logits. They are float32, or
    float64 of float64 logits. The gradient goes through; an isotonic recalibration is a staircase,
    whose slope is 0. Nothing is trained: `get_config` has the numbers.

    Parameters
    ----------
    parameters
        The recalibration: a mapping with "family" and "parameters", such as `json.load` makes of
        what `plogq recalibrate` saves; or a `plogq.score.Recalibration`.
    **kwargs
        As Keras's layers have them: `name`, `dtype`.

    Examples
    --------
    >>> layer = Recalibrate({"family": "temperature", "parameters": {"temperature": 2.0}})
    >>> ops.convert_to_numpy(ops.softmax(layer(np.array([[4.0, 0.0]])))).round(4).tolist()
    [[0.8808, 0.1192]]
    """

    def __init__(self, parameters: Any, **kwargs: Any) -> None:
        # Keras would cast logits to half precision under its mixed policies.
        super().__init__(autocast=False, **kwargs)
        self.family, self.numbers, self.classes = read_recalibration(parameters)
        given = parameters["parameters"] if isinstance(parameters, dict) else parameters.parameters
        self._given = {"family": self.family, "parameters": given}

    def call(self, x: Any) -> Tensor:
        """Return the recalibrated log-probabilities, (…, C)."""
        x = as_floats("x", x)
        if self.classes not in (None, x.shape[-1]):
            expected = f"have the {self.classes} classes of the recalibration on its last axis"
            refuse("x", expected, f"shape {sizes(x)}")
        x = ops.cast(x, arithmetic(x))
        # The second step of a curve may begin at the lowest finite number of double precision.
        lowest = float(np.finfo(arithmetic(x)).min)
        numbers = {
            name: ops.convert_to_tensor(np.maximum(number, lowest), x.dtype)
            for name, number in self.numbers.items()
        }
        # TensorFlow looks up steps of one axis only.
        rows = ops.reshape(x, (-1, x.shape[-1]))
        return ops.reshape(recalibrated(xp, rows, self.family, numbers), ops.shape(x))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "parameters": self._given}
