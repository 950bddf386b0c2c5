"""Watches `fit` of Keras: it reads a batch before `fit` does, and computes its loss apart."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from plogq.doctor.finding import Diagnosis
from plogq.doctor.readings import Array, are_one_hot
from plogq.doctor.runtime.diagnose import diagnose
from plogq.doctor.runtime.functional import overfit, shuffled_labels, split_batch
from plogq.doctor.runtime.keras.gradients import Gradients
from plogq.doctor.runtime.keras.model import KerasLoss
from plogq.doctor.runtime.looking import LookError, Looking, curve_of, labels_of
from plogq.doctor.runtime.squared_error import squared_error
from plogq.doctor.runtime.training import LookedAtStep, NotFinite, Training, Unreached
from plogq.doctor.values import Values

EVERY = 64  # steps, of which one has its labels counted
CLOSE = 0.01  # of the loss, within which it was computed again
EXACT = 1e-3  # of the loss, within which it is the surprisal of the labels and nothing more
FEWEST = 2  # steps without a gradient: a layer may begin behind a weight of 0
WHY = "fit of Keras does not show it"
UNSEEN = dict.fromkeys(("PQ205", "PQ209", "PQ210", "PQ211", "PQ214"), WHY)


class KerasWatch:
    """What is seen of a training by `fit`.

    Parameters
    ----------
    model
        The model, compiled.
    steps, probes
        How many steps are looked at, and whether other labels, half a batch and learning by heart
        are tried.
    """

    def __init__(self, model: Any, steps: int, probes: bool, options: dict[str, Any]) -> None:
        self._model, self._steps, self._probes, self._options = model, steps, probes, options
        self._looking = Looking()
        self._values: list[tuple[int, Values]] = []
        self._looked: list[LookedAtStep] = []
        self._losses: list[float] = []
        self._labels: Counter[int] = Counter()
        self._plain = True
        self._without: Counter[str] = Counter()
        self._ran: set[str] = set()
        self._calls = 0
        self._sizes: list[int] = []  # of the batches of this epoch, as far as they were read
        self._mean = (0, 0.0)  # of the losses of this epoch

    def begin_step(self) -> None:
        """Have the batch of this step read, if it is to be looked at, before `fit` has it.

        For one call the model has another function, which gives it its own back at once.
        """
        self._calls += 1
        if self._calls > self._steps and self._calls % EVERY:
            return
        with self._looking.safe("fit"):
            model = self._model
            original = model.train_function
            if original is None:
                raise LookError("this training has no train_function")

            def train_function(*args: Any) -> Any:
                model.train_function = original
                given = args
                with self._looking.safe("the batch"):
                    given = self._read(args)
                return original(*given)

            model.train_function = train_function

    def begin_epoch(self) -> None:
        """Begin a new mean of losses."""
        self._mean = (0, 0.0)

    def end_step(self, logs: dict[str, Any] | None) -> None:
        """Keep the loss of a step, which `fit` tells as a mean over its epoch."""
        with self._looking.safe("the losses"):
            if logs is None or "loss" not in logs:
                raise LookError("fit tells no loss")
            count, before = self._mean
            mean = float(logs["loss"])
            # Batches of an epoch count alike here; the last one may be smaller.
            self._losses.append((count + 1) * mean - count * before)
            self._mean = count + 1, mean
            self._check(self._losses[-1])

    def _check(self, loss: float) -> None:
        """Let go of a step that `fit` computed in another way."""
        last = self._looked[-1] if self._looked else None
        if last is None or last.number != self._calls or last.number != len(self._losses):
            return
        finite = math.isfinite(loss), math.isfinite(last.loss)
        far = all(finite) and abs(loss - last.loss) > CLOSE * max(abs(loss), 0.1) and self._even
        if far or finite == (True, False):
            self._looked.pop()
            self._values = [each for each in self._values if each[0] != last.number]
            self._looking.found.clear()
            self._plain, self._steps = False, 0
            why = "" if far else "; a compiled product can make 0 of NaN: look for it in the batch"
            raise LookError(
                f"computed again, the loss is {last.loss:.4g} where fit has {loss:.4g}{why}"
            )

    @property
    def _even(self) -> bool:
        """Whether the batches of this epoch had one size."""
        return len(set(self._sizes[-self._mean[0] :])) == 1

    # --- a batch, before fit has it

    def _read(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Look at the next batch, and return arguments of which it is the first again."""
        *state, iterator = args
        if keras.backend.backend() == "torch":
            batch = iterator[0]
        elif keras.backend.backend() == "jax":
            batch = next(iterator)
            iterator = itertools.chain([batch], iterator)
        else:
            batches, iterator = _read_tensorflow(iterator, self._model.steps_per_execution)
            batch = batches[0]
        with self._looking.safe("the batch"):
            self._look(batch, state[0] if state else None)
        return (*state, iterator)

    def _look(self, data: Any, state: Any) -> None:
        if self._calls > self._steps:
            self._count(data)
            return
        model, number = self._model, self._calls
        if not model.built:
            raise LookError("the model is built by its first step: begin it with keras.Input")
        weights, fixed = state[:2] if state else (
            model.trainable_variables, model.non_trainable_variables)  # fmt: skip
        loss = KerasLoss(model, data, fixed)
        arrays = [np.array(keras.ops.convert_to_numpy(_detached(each))) for each in weights]
        try:
            found = loss.gradients(arrays, loss.batch)
        except Exception:  # of labels that are no class, some backends compute no loss
            self._values += [(number, each) for each in loss.given(loss.output(arrays), loss.batch)]
            raise
        self._sizes.append(len(loss.batch[0]))
        self._looked.append(
            LookedAtStep(number, found.loss, loss.layer_gradients(found), loss.activations(found))
        )
        broken = _not_finite(number, loss, found, arrays)
        if broken is not None:
            self._looking.found.setdefault("not_finite", broken)
        self._note_unreached(loss, found)
        with self._looking.safe("what the loss is given"):
            self._keep_values(loss, found, number)
        if len(self._looked) == 1 and broken is None and self._probes and loss.target is not None:
            self._ask(loss, arrays, loss.target, found.loss)

    def _count(self, data: Any) -> None:
        """Count the labels of a later batch."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        labels = [np.asarray(keras.ops.convert_to_numpy(each)) for each in keras.tree.flatten(y)]
        if self._plain and len(labels) == 1:
            self._labels.update(_classes(labels[0]).tolist())

    def _keep_values(self, loss: KerasLoss, found: Gradients, number: int) -> None:
        given = loss.given(found.output, loss.batch, at_start=number == 1)
        self._values += [(number, each) for each in given]
        labels = labels_of(given[0]) if len(given) == 1 else None
        scored = given[0].scored if len(given) == 1 else None
        if labels is None or scored is None or not (
            abs(float(scored.losses.mean()) - found.loss) <= EXACT * max(abs(found.loss), 0.1)
        ):  # fmt: skip
            self._plain = False
            return
        self._labels.update(labels.tolist())

    def _note_unreached(self, loss: KerasLoss, found: Gradients) -> None:
        """Note the variables that have no gradient, by layer."""
        self._ran |= {each.path for each in loss.layers}
        for variable, gradient in zip(self._model.trainable_variables, found.weights, strict=True):
            if gradient is None or not gradient.any():
                self._without[variable.path] += 1

    def _ask(self, loss: KerasLoss, weights: list[Array], target: int, whole: float) -> None:
        """Ask what one batch can answer."""
        ask, batch = self._looking.ask, loss.batch
        ask("shuffled", "the labels' order",
            lambda: shuffled_labels(loss, weights, batch, target))  # fmt: skip
        ask("split", "the halves of a batch",
            lambda: split_batch(loss, weights, batch, target, whole, use_seen=True))  # fmt: skip
        ask("overfit", "a batch learnt by heart",
            lambda: overfit(loss.without_dropout(), weights, batch, target))  # fmt: skip
        given = [each for _, each in self._values]
        if len(given) == 1 and given[0].name == "mean_squared_error":
            x, y = given[0].outputs, given[0].target
            ask("squared", "the squared error", lambda: squared_error(x, y))

    # --- what was found

    def _unreached(self) -> Unreached | None:
        looks = len(self._looked)
        if looks < FEWEST:
            return None
        sizes: dict[str, int] = {}
        reached = set()
        for each in self._model.trainable_variables:
            layer = each.path.rpartition("/")[0]
            sizes[layer] = sizes.get(layer, 0) + math.prod(each.shape)
            if self._without[each.path] < looks:
                reached.add(layer)
        layers = tuple(each for each in sizes if each not in reached and each in self._ran)
        if not layers:
            return None
        return Unreached(layers, sum(sizes[each] for each in layers), sum(sizes.values()), looks)

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found until now."""
        found = dict(self._looking.found)
        losses = self._losses
        with self._looking.safe("the losses"):
            found["unreached"] = self._unreached()
            if self._plain:
                found["curve"] = curve_of(losses, self._labels)
            bad = next((i for i, each in enumerate(losses, 1) if not math.isfinite(each)), 0)
            if bad > self._steps > 0 and "not_finite" not in found:
                found["not_finite"] = NotFinite(bad, losses[bad - 1], "", "", "later", "", 1, 1)
        if self._calls == 0:
            self._looking.note("fit", "was not seen to train")
        steps = f"{self._calls:,} step{'' if self._calls == 1 else 's'}"
        loss = self._model.loss
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
        looked_at = f"{steps} of {type(self._model).__name__}, under {name}"
        training = Training(steps=tuple(self._looked), updates=self._calls, **found)
        return diagnose(training, self._values, looked_at, unread=self._looking.unread,
                        unseen=UNSEEN, **self._options)  # fmt: skip


def _detached(x: Any) -> Any:
    value = getattr(x, "value", x)
    return value.detach() if hasattr(value, "detach") else value


def _read_tensorflow(iterator: Any, count: int) -> tuple[Sequence[Any], Any]:
    """Return the next batches, and an iterator of the same type that begins with them.

    Raises
    ------
    LookError
        The batches are spread over devices.
    """
    import tensorflow as tf

    if not isinstance(iterator, tf.data.Iterator):
        raise LookError("its batches are spread over devices")
    batches = list(itertools.islice(iterator, count))
    if not batches:  # fit ends the epoch by itself
        raise StopIteration
    again = tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=iterator.element_spec
    )
    return batches, iter(again)


def _classes(y: Array) -> Array:
    """Return labels, of one-hot rows too."""
    if y.ndim > 1 and y.shape[-1] > 1 and are_one_hot(y):
        labels: Array = y.argmax(-1).reshape(-1)
        return labels
    return y.reshape(-1).astype(np.int64)


def _not_finite(
    number: int, loss: KerasLoss, found: Gradients, weights: list[Array]
) -> NotFinite | None:
    """Return where a step is not finite first; None where its loss and its gradient are finite."""
    bad: list[tuple[str, str, str, Array]] = []
    if not math.isfinite(found.loss):
        variables = loss.variables
        bad += [("parameters", path, "variable", each)
                for path, each in zip(variables, weights, strict=True)]  # fmt: skip
        bad += [("inputs", f"array {i} of the batch", "array", each)
                for i, each in enumerate(loss.batch, 1)]  # fmt: skip
        bad += [("outputs", layer.path, type(layer).__name__, out)
                for layer, out in zip(loss.layers, found.layer_outputs, strict=True)]  # fmt: skip
    else:
        pairs = list(zip(loss.layers, found.layers, strict=False))
        bad += [("gradient", layer.path, type(layer).__name__, each)
                for layer, each in reversed(pairs) if each is not None]  # fmt: skip
    for of, path, kind, array in bad:
        if array.dtype.kind != "f":
            continue
        wrong = ~np.isfinite(array)
        if of == "outputs":
            wrong &= ~np.isneginf(array)  # a masked class
        if wrong.any():
            value = str(float(array[wrong][0]))
            return NotFinite(
                number, found.loss, path, kind, of, value, int(wrong.sum()), array.size
            )
    if math.isfinite(found.loss):
        return None
    return NotFinite(number, found.loss, "", "", "loss", str(found.loss), 1, 1)
