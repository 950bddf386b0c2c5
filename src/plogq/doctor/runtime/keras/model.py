"""The loss of a compiled model of Keras as a function of its weights and a batch."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from plogq.doctor.losses import LOSSES, function_of
from plogq.doctor.readings import Array
from plogq.doctor.runtime.flat import dead, saturated
from plogq.doctor.runtime.functional import Answer, Batch
from plogq.doctor.runtime.keras.gradients import (
    Gradients,
    Taps,
    gradients,
    random_kept_of_backend,
)
from plogq.doctor.runtime.training import Activation, LayerGradient
from plogq.doctor.values import Values, values_of

OPTIONS = ("from_logits", "label_smoothing", "ignore_class", "axis", "reduction")
KINDS = ("relu", "sigmoid", "tanh")


class KerasLoss:
    """What `fit` computes of a batch, without any of the state that `fit` changes.

    Parameters
    ----------
    model
        A model that was compiled.
    data
        A batch as `fit` has it.
    fixed
        The values of the variables that are not trained: statistics, and the seeds of dropout.
    """

    def __init__(self, model: Any, data: Any, fixed: Sequence[Any]) -> None:
        self._model, self._fixed = model, [_numpy(each) for each in fixed]
        parts = keras.utils.unpack_x_y_sample_weight(data)
        self._structure = parts
        leaves = keras.tree.flatten(parts)
        self._absent = [each is None for each in leaves]
        self.batch: Batch = [_numpy(each) for each in leaves if each is not None]
        before = len([each for each in keras.tree.flatten(parts[0]) if each is not None])
        targets = [each for each in keras.tree.flatten(parts[1]) if each is not None]
        self.target = before if len(targets) == 1 else None
        """Where the target stands in the batch; None where there are several or none."""
        self._compiled: dict[Any, dict[Any, Any]] = {}
        self._dropout = True
        self.layers: list[Any] = []
        with_training = inspect.signature(model.call).parameters
        self._kwargs = {"training": True} if "training" in with_training else {}

    @property
    def variables(self) -> list[str]:
        """The paths of the variables that learn."""
        return [each.path for each in self._model.trainable_variables]

    def output(self, weights: Sequence[Any]) -> Any:
        """Return what the model gives, where the loss of it cannot be computed."""
        given = [keras.ops.convert_to_tensor(each) for each in weights]
        with random_kept_of_backend():
            _, output = self._forward(self.batch, given, Taps(), with_loss=False)
        return keras.tree.map_structure(_numpy, output)

    def _forward(
        self, batch: Batch, weights: list[Any], taps: Taps, *, with_loss: bool = True
    ) -> tuple[Any, Any]:
        given = iter(batch)
        leaves = [None if absent else next(given) for absent in self._absent]
        x, y, sample_weight = keras.tree.map_structure(
            lambda each: None if each is None else keras.ops.convert_to_tensor(each),
            keras.tree.pack_sequence_as(self._structure, leaves),
        )
        model = self._model
        mapping = [
            *zip(model.trainable_variables, weights, strict=True),
            *zip(model.non_trainable_variables, map(keras.ops.convert_to_tensor, self._fixed),
                 strict=True),
        ]  # fmt: skip
        with keras.StatelessScope(state_mapping=mapping), self._tapped(taps):
            output = model(x, **self._kwargs)
            loss = None
            if with_loss:
                loss = model.compute_loss(x=x, y=y, y_pred=output, sample_weight=sample_weight)
        return loss, output

    @contextmanager
    def _tapped(self, taps: Taps) -> Iterator[None]:
        """Keep what each layer without others inside gives."""
        self.layers = []
        changed = []
        try:
            for layer in leaf_layers(self._model):
                before = vars(layer).get("call")
                vars(layer)["call"] = self._wrapped(layer, layer.call, taps)
                changed.append((layer, before))
            yield
        finally:
            for layer, before in changed:
                del vars(layer)["call"]
                if before is not None:
                    vars(layer)["call"] = before

    def _wrapped(self, layer: Any, call: Any, taps: Taps) -> Any:
        @functools.wraps(call)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if not self._dropout and "Dropout" in type(layer).__name__:
                return args[0]
            output = call(*args, **kwargs)
            if not keras.ops.is_tensor(output) or "float" not in str(output.dtype):
                return output
            self.layers.append(layer)
            return taps(output)

        return wrapped

    def without_dropout(self) -> KerasLoss:
        """Return the same loss without dropout, by whose pattern rows could be told apart."""
        other = copy.copy(self)
        other._dropout, other._compiled, other.layers = False, {}, []
        return other

    def gradients(self, weights: Sequence[Any], batch: Batch) -> Gradients:
        """Return the loss of a batch, and its gradients."""
        shapes = tuple((each.shape, each.dtype) for each in batch)
        compiled = self._compiled.setdefault(shapes, {})
        found = gradients(self._forward, weights, batch, compiled)
        compiled.setdefault("layers", self.layers)
        self.layers = compiled["layers"]
        return found

    def value(self, weights: Sequence[Any], batch: Batch) -> float:
        """Return the loss."""
        given = [keras.ops.convert_to_tensor(each) for each in weights]
        with random_kept_of_backend():
            loss, _ = self._forward(batch, given, Taps())
        return float(_numpy(loss))

    def answer(self, weights: Sequence[Any], batch: Batch) -> Answer:
        """Return the loss, its gradient, and what it is given."""
        found = self.gradients(weights, batch)
        given = self.given(found.output, batch)
        return Answer(found.loss, found.weights, given[0] if len(given) == 1 else None)

    def given(self, output: Any, batch: Batch, *, at_start: bool = False) -> list[Values]:
        """Return what each known loss is given, as the checks of values look at it."""
        if type(self._model).compute_loss is not keras.Model.compute_loss:
            return []  # the model computes another loss than it was compiled with
        losses = [each for each in keras.tree.flatten(self._model.loss) if each is not None]
        outputs = keras.tree.flatten(output)
        before = len(keras.tree.flatten(self._structure[0]))
        targets = batch[before : before + len(outputs)]
        if not len(losses) == len(outputs) == len(targets):
            return []
        found = []
        for loss, x, y in zip(losses, outputs, targets, strict=True):
            known = named(loss)
            if known is not None:
                found.append(values_of(x, y, known[0], "keras", at_start=at_start, **known[1]))
        return found

    def layer_gradients(self, found: Gradients) -> tuple[LayerGradient, ...]:
        """Return the gradient at what each layer with weights gives, in order."""
        norms: dict[int, tuple[Any, float]] = {}
        for layer, gradient in zip(self.layers, found.layers, strict=False):
            if layer.trainable_variables and gradient is not None:
                before = norms.get(id(layer), (layer, 0.0))[1]
                square = float(np.square(gradient.astype(np.float64)).sum())
                norms[id(layer)] = layer, before + square
        return tuple(
            LayerGradient(layer.path, type(layer).__name__, float(np.sqrt(square)))
            for layer, square in norms.values()
        )

    def activations(self, found: Gradients) -> tuple[Activation, ...]:
        """Return the activations before the last layer that has weights."""
        learning = [i for i, layer in enumerate(self.layers) if layer.trainable_variables]
        shown = []
        pairs = list(zip(self.layers, found.layer_outputs, strict=True))
        for layer, out in pairs[: learning[-1] if learning else 0]:
            function = getattr(layer, "activation", None)
            kind = getattr(function, "__name__", type(layer).__name__.lower())
            if kind not in KINDS or out.size == 0:
                continue
            if kind == "relu":
                shares = min((float(share), units) for share, units in dead(out))
                shown.append(Activation(layer.path, kind, 0.0, *shares))
            else:
                share = float(saturated(kind, out))
                shown.append(Activation(layer.path, kind, share, 0.0, out.shape[-1]))
        return tuple(shown)


def leaf_layers(model: Any) -> list[Any]:
    """Return the layers of a model that hold no others, each once."""
    layers = list(model._flatten_layers(include_self=False))
    return [each for each in layers
            if not list(each._flatten_layers(include_self=False))]  # fmt: skip


def named(loss: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the name of a loss of Keras and its options; None of one that is not known."""
    loss = keras.losses.get(loss)
    options: dict[str, Any] = {}
    if isinstance(loss, functools.partial):
        loss, options = loss.func, dict(loss.keywords)
    if isinstance(loss, keras.losses.Loss):
        name, options = type(loss).__name__, loss.get_config()
    else:
        name = getattr(loss, "__name__", "")
    where = type(loss).__module__ if isinstance(loss, keras.losses.Loss) else loss.__module__
    name = function_of(name)
    if name not in LOSSES["keras"] or not where.startswith(("keras.", "plogq.keras")):
        return None
    return name, {key: options[key] for key in OPTIONS if options.get(key) is not None}


def _numpy(x: Any) -> Array:
    value = getattr(x, "value", x)
    if hasattr(value, "detach"):
        value = value.detach()
    return np.array(keras.ops.convert_to_numpy(value))
