"""The doors: each gives a loss of `cases` and its gradient as arrays of NumPy.

A new door is a class here and a place in `DOORS`.
"""

import inspect
import os
from typing import Any, ClassVar, get_type_hints

import numpy as np
import pytest

from tests.parity.cases import Case, Elements, Heads, Rows

# What the losses have beside the arguments of `cases`; each door's own tests hold these.
ELSEWHERE = {
    "reduction", "validate", "return_stats", "return_grad", "out", "threads", "ignore_index",
    "size_average", "reduce", "inplace", "axis", "shift", "lora", "workspace", "valid", "compact",
    "teacher_weight", "teacher_bias", "teacher_softcap",
}  # fmt: skip


class Door:
    """What all doors share.

    Attributes
    ----------
    module
        Its functions.
    names
        Its names of losses, where they are not those of `cases`.
    arguments, arguments_of_heads
        Its names of arguments, likewise; those of heads besides.
    weights_divide
        Whether weights divide the mean of distributions and of elements.
    dtypes
        Of its inputs.
    compiled
        Whether each call with new options is compiled, which takes its time.
    derived
        Whether gradients are derived, and hold only so many digits of the largest.
    """

    names: ClassVar[dict[str, str]] = {}
    arguments: ClassVar[dict[str, str]] = {}
    arguments_of_heads: ClassVar[dict[str, str]] = {}
    weights_divide = False
    dtypes: tuple[str, ...] = ("float64", "float32", "bfloat16", "float16")
    compiled = False
    derived = False

    def __init__(self) -> None:
        self.module = pytest.importorskip(f"plogq.{self.package}")

    package: str

    def has(self, case: Case) -> bool:
        """Say whether the door has this loss."""
        return self.names.get(case.name, case.name) in self.module.__all__

    def function(self, case: Case) -> Any:
        """Return the loss."""
        return getattr(self.module, self.names.get(case.name, case.name))

    def options(self, case: Case) -> dict[str, Any]:
        """Return a value for each argument that the loss has here."""
        names = self._names(case)
        theirs = {names.get(name, name): name for name in case.options()}
        named = self._named(case)
        assert named <= theirs.keys(), named - theirs.keys()  # the table knows all that it has
        return {theirs[name]: case.options()[theirs[name]] for name in named}

    def _names(self, case: Case) -> dict[str, str]:
        return self.arguments | (self.arguments_of_heads if isinstance(case, Heads) else {})

    def _named(self, case: Case) -> set[str]:
        function = self.function(case)
        parameters = dict(inspect.signature(function).parameters)
        for name in list(parameters)[: 1 + len(case.arrays)]:
            del parameters[name]
        if parameters.pop("options", None) is not None:
            options = get_type_hints(function)["options"].__args__[0]
            parameters |= get_type_hints(options)
        return parameters.keys() - ELSEWHERE - {"target"}  # not all cases of a loss have one

    def answer(self, case: Case, x: np.ndarray, dtype: str, **options: Any) -> Any:
        """Return the loss, and the gradient of its sum."""
        names = self._names(case)
        given = {names.get(name, name): value for name, value in options.items()}
        return self.call(self.function(case), case, x, dtype, given)


class Numpy(Door):
    """The gradient is returned."""

    package = "numpy"
    names: ClassVar = {"brier_loss": "squared_error"}
    dtypes = ("float64", "float32", "float16")

    def call(self, function: Any, case: Case, x: np.ndarray, dtype: str, options: Any) -> Any:
        return function(*case.arguments(x.astype(dtype), case.arrays), return_grad=True, **options)


class Torch(Door):
    """The first engine that takes the call."""

    package = "torch"
    derived = True

    def call(self, function: Any, case: Case, x: np.ndarray, dtype: str, options: Any) -> Any:
        import torch

        def tensor(value: Any) -> Any:
            return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

        z = tensor(x).to(getattr(torch, dtype)).requires_grad_()
        options = {name: tensor(value) for name, value in options.items()}
        arrays = [*map(tensor, case.arrays)]
        if isinstance(case, Heads):  # a layer is in the dtype of what it is given
            arrays[0] = arrays[0].to(z.dtype)
            if "linear_bias" in options:
                options["linear_bias"] = options["linear_bias"].to(z.dtype)
        loss = function(*case.arguments(z, arrays), **options)
        grad = torch.autograd.grad(loss.sum(), z)[0]
        return loss.detach().double().numpy(), grad.double().numpy()


class TorchFormula(Torch):
    """Torch operations alone."""

    def answer(self, *given: Any, **options: Any) -> Any:
        with self.module.engine("formula"):
            return super().answer(*given, **options)


class Jax(Door):
    """Its arrays are compiled; the loss of each row is what it gives unless asked otherwise."""

    package = "jax"
    names: ClassVar = {"binary_cross_entropy_with_logits": "sigmoid_binary_cross_entropy"}
    arguments: ClassVar = {"mask": "where"}
    arguments_of_heads: ClassVar = {"weight": "class_weight", "linear_bias": "bias"}
    weights_divide = True
    compiled = True

    def __init__(self) -> None:
        super().__init__()
        import jax

        jax.config.update("jax_enable_x64", True)  # without it there is no float64

    def call(self, function: Any, case: Case, x: np.ndarray, dtype: str, options: Any) -> Any:
        import jax
        import jax.numpy as jnp

        arrays = list(case.arrays)
        if isinstance(case, Heads):  # a layer is in the dtype of what it is given
            arrays[0] = arrays[0].astype(dtype)
            if "bias" in options:
                options["bias"] = options["bias"].astype(dtype)

        def summed(z: Any) -> Any:
            loss = function(*case.arguments(z, arrays), **options)
            return loss.sum(), loss

        grad, loss = jax.grad(summed, has_aux=True)(jnp.asarray(x, dtype))
        return np.asarray(loss, float), np.asarray(grad, float)


class Keras(Door):
    """On the backend of `KERAS_BACKEND`; the names are of classes, by the axes of what they take.

    Elements get an axis of size 1, along which a binary loss is its own mean.
    """

    package = "keras"
    names: ClassVar = {
        ("cross_entropy", 1): "SparseCategoricalCrossentropy",
        ("cross_entropy", 2): "CategoricalCrossentropy",
        ("soft_cross_entropy", 2): "CategoricalCrossentropy",
        ("focal_loss", 1): "SparseCategoricalFocalCrossentropy",
        ("focal_loss", 2): "CategoricalFocalCrossentropy",
        ("distillation_loss", 2): "Distillation",
        ("distillation_loss", 2, 1): "Distillation",
        ("binary_cross_entropy_with_logits", 2): "BinaryCrossentropy",
        ("binary_cross_entropy", 2): "BinaryCrossentropy",
        ("binary_focal_loss", 2): "BinaryFocalCrossentropy",
    }
    weights_divide = True
    compiled = os.environ.get("KERAS_BACKEND") in ("jax", "tensorflow")
    derived = True

    def has(self, case: Case) -> bool:
        return self._key(case) in self.names

    def function(self, case: Case) -> Any:
        return getattr(self.module, self.names[self._key(case)])

    def options(self, case: Case) -> dict[str, Any]:
        has = {*inspect.signature(self.function(case)).parameters, "mask"}
        if "class_weight" in has or isinstance(case, Elements):
            has.add("weight")
        if isinstance(case, Rows):
            has.add("row_weight")
        return {name: value for name, value in case.options().items() if name in has}

    def answer(self, case: Case, x: np.ndarray, dtype: str, **options: Any) -> Any:
        import keras
        from keras.src.backend import set_keras_mask

        from tests.keras.derived import value_and_gradient

        elements = isinstance(case, Elements)
        by_row = options.pop("weight" if elements else "row_weight", None)
        mask = options.pop("mask", None)
        loss = self.function(case)(**self._arguments(case, **options))
        x, *arrays = (a[..., None] if elements else a for a in (x, *case.arrays))
        target = np.concatenate([a if a.ndim == x.ndim else a[:, None] for a in arrays], axis=1)

        def loss_of(z: Any) -> Any:
            if mask is not None:
                set_keras_mask(z, keras.ops.convert_to_tensor(mask))
            return loss(target, z, by_row)

        z = keras.ops.cast(keras.ops.convert_to_tensor(x), dtype)
        value, grad = value_and_gradient(loss_of, z)
        return value, grad[..., 0] if elements else grad

    def _key(self, case: Case) -> Any:
        return (case.name, *(array.ndim for array in case.arrays))

    def _arguments(self, case: Case, reduction: str, **options: Any) -> dict[str, Any]:
        if "weight" in options:
            options["class_weight"] = options.pop("weight")
        if case.name == "focal_loss":
            options["alpha"] = 1.0
        if case.name == "binary_focal_loss":
            options["apply_class_balancing"] = "alpha" in options
        if case.name != "distillation_loss":
            options["from_logits"] = case.name != "binary_cross_entropy"
        return options | {
            "reduction": {"mean": "mean_with_sample_weight"}.get(reduction, reduction)
        }


DOORS = {
    "numpy": Numpy,
    "torch": Torch,
    "torch, formula": TorchFormula,
    "jax": Jax,
    "keras": Keras,
}
