"""The doctor beside a training of Keras, on TensorFlow, JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plogq.doctor.check import TRAINING, chosen
from plogq.doctor.finding import Diagnosis
from plogq.errors import check_count
from plogq.extras import needed_by

with needed_by("plogq.doctor.keras"):
    import keras

    from plogq.doctor.runtime.keras.watch import KerasWatch

__all__ = ["WatchCallback"]


class WatchCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """It looks at the first steps of `fit`, as `plogq.doctor.watch` does at those of PyTorch.

    The loss of a batch is computed apart from the model's state: weights, statistics, seeds and
    compiled functions are those that the training would have without it.

    Parameters
    ----------
    steps
        How many steps are looked at.
    probes
        Whether to try whether a batch can be learnt by heart, and what other labels and half a
        batch cost.
    untrained
        Whether the model has not been trained before: a first loss far from ln C is then found.
    select, ignore
        Codes of checks, or how codes begin.

    Attributes
    ----------
    diagnosis : plogq.doctor.Diagnosis or None
        What was found, once the training has begun.

    Raises
    ------
    ValueError
        An option is none.
    ModuleNotFoundError
        Keras is not installed.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> model.compile(optimizer="sgd", loss=loss)
    >>> x, y = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3
    >>> look = WatchCallback(probes=False)
    >>> _ = model.fit(x, y, callbacks=[look], verbose=0)
    >>> look.diagnosis.findings[0].code
    'PQ101'
    """

    def __init__(
        self, *, steps: int = 3, probes: bool = True, untrained: bool = False,
        select: Sequence[str] | None = None, ignore: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        check_count("steps", steps, least=1)
        chosen(TRAINING, select, ignore)  # refuses codes that there are not
        self._steps, self._probes = steps, probes
        self._options = {"untrained": untrained, "select": select, "ignore": ignore}
        self._watch: KerasWatch | None = None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was found until now; None before the training."""
        return None if self._watch is None else self._watch.diagnosis

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin to watch."""
        self._watch = KerasWatch(self.model, self._steps, self._probes, self._options)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin a new mean of losses."""
        if self._watch is not None:
            self._watch.begin_epoch()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the batch of a step, if it is among the first."""
        if self._watch is not None:
            self._watch.begin_step()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the loss of a step."""
        if self._watch is not None:
            self._watch.end_step(logs)
