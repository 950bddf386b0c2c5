"""Losses as classes, by Keras's names and signatures, for `compile`, `fit` and `load_model`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import keras
from keras import ops

from plogq.keras import binary_losses, divergences, softmax_losses
from plogq.keras.arguments import Tensor, as_floats, as_tensor
from plogq.keras.reductions import check_reduction, finished, mask_of

registered: Any = keras.saving.register_keras_serializable("plogq")


class Loss(keras.losses.Loss):  # type: ignore[misc]
    """A function of this package as a loss of Keras: what the classes share.

    Parameters
    ----------
    reduction
        "sum_over_batch_size" or "mean": Σ sample_weight · loss over the number of rows that are not
        left out; "mean_with_sample_weight": over their Σ sample_weight, times the class weights;
        "sum"; "none" or None.
    name
        As Keras has it.
    dtype
        "float64" computes in float64. Otherwise it is float32, or float64 of float64 predictions.
    """

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, reduction: str | None, name: str | None, dtype: Any, **options: Any) -> None:
        super().__init__(name=name, reduction=check_reduction(reduction), dtype=dtype)
        self._dtype_given = dtype is not None
        self.options = {key: _plain(value) for key, value in options.items()}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss, reduced; rows that a mask of Keras leaves out are not counted."""
        x = as_floats("y_pred", y_pred)
        mask = mask_of(y_pred, x)
        x = ops.cast(x, "float64") if self.dtype == "float64" else x
        whole = inspect.unwrap(type(self).function)
        found = whole(as_tensor("y_true", y_true), x, mask=mask, **self.options)
        return finished(found, sample_weight, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the loss of each row."""
        return type(self).function(y_true, y_pred, **self.options)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction, **self.options}
        return config | {"dtype": self.dtype} if self._dtype_given else config


def _given(names: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments among the local names at the head of an `__init__`."""
    return {name: value for name, value in names.items() if name not in ("self", "__class__")}


def _plain(value: Any) -> Any:
    """Return numbers by class as Python's own, which can be saved; JSON makes texts of keys."""
    if isinstance(value, dict):
        return {int(label): float(number) for label, number in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


@registered
class BinaryCrossentropy(Loss):
    """`binary_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(binary_losses.binary_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        *,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class BinaryFocalCrossentropy(Loss):
    """`binary_focal_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(binary_losses.binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
        *,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class CategoricalCrossentropy(Loss):
    """`categorical_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(softmax_losses.categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        *,
        class_weight: Any = None,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class CategoricalFocalCrossentropy(Loss):
    """`categorical_focal_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(softmax_losses.categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
        *,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class SparseCategoricalCrossentropy(Loss):
    """`sparse_categorical_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(softmax_losses.sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        *,
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class SparseCategoricalFocalCrossentropy(Loss):
    """`sparse_categorical_focal_crossentropy` as a loss; `Loss` has the other parameters."""

    function = staticmethod(softmax_losses.sparse_categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        ignore_class: int | None = None,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_categorical_focal_crossentropy",
        dtype: Any = None,
        *,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class KLDivergence(Loss):
    """`kl_divergence` as a loss; `Loss` has the other parameters."""

    function = staticmethod(divergences.kl_divergence)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
        *,
        axis: int = -1,
        eps: float = 0.0,
    ) -> None:
        super().__init__(**_given(locals()))


@registered
class Distillation(Loss):
    """`distillation` as a loss; `Loss` has the other parameters."""

    function = staticmethod(softmax_losses.distillation)

    def __init__(
        self,
        temperature: float = 2.0,
        alpha: float = 0.5,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "distillation",
        dtype: Any = None,
    ) -> None:
        super().__init__(**_given(locals()))
