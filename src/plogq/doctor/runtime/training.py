"""What was seen of a training: plain numbers, of no framework, which the checks PQ2xx look at."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class LayerGradient:
    """A layer with parameters, and the gradient of the loss with respect to its outputs."""

    name: str
    """Its path in the model, such as "encoder.0"."""

    kind: str
    """Its class."""

    norm: float
    """The Euclidean norm of the gradient over all outputs of the batch."""

    underflow: float = 0.0
    """Of float16, the share of the gradient that is 0, and is not 0 where the loss is larger."""


@dataclass(frozen=True)
class Activation:
    """What a tanh, a sigmoid or a ReLU inside the model gives for a batch."""

    name: str
    """The path of the module that applies it."""

    kind: str
    """The function's name: "tanh", "sigmoid" or "relu"."""

    saturated: float
    """The share of its outputs that is flat: the derivative is below 1/20 of the largest."""

    dead: float
    """Of a ReLU, the share of units that are 0 in every row."""

    units: int
    """How many units there are: the size of axis 1, or of the last axis."""


@dataclass(frozen=True)
class LookedAtStep:
    """One step, repeated on a copy of the model."""

    number: int
    """Which call of the loss it was, from 1."""

    loss: float
    """The loss."""

    layers: tuple[LayerGradient, ...]
    """The layers in the order in which they are applied."""

    activations: tuple[Activation, ...]
    """The activations in the order in which they are applied."""

    loss_scale: float = 1.0
    """By what the loss was multiplied before its gradient was asked for."""


@dataclass(frozen=True)
class NotFinite:
    """The first module whose outputs, or whose gradient, are not finite."""

    step: int
    """Which call of the loss, from 1."""

    loss: float
    """The loss of the step."""

    module: str
    """The path of the module; empty where none was found."""

    kind: str
    """Its class."""

    of: str
    """What is not finite: "outputs", "inputs", "parameters", "gradient"; "loss" alone; or "later".

    "later" is said of a step that was not repeated.
    """

    value: str
    """The first such number, as text."""

    count: int
    """How many numbers are not finite."""

    size: int
    """Of how many."""


@dataclass(frozen=True)
class ShuffledLabels:
    """The loss of the same outputs with the labels in other orders."""

    loss: float
    """With the labels as they came."""

    shuffled: tuple[float, ...]
    """With the labels of other rows."""

    step: float
    """The distance between the loss and the next number of its type."""

    rows: int
    """How many rows the batch has."""


@dataclass(frozen=True)
class SplitBatch:
    """The loss of a batch, and of its halves."""

    loss: float
    """Of all rows."""

    halves: tuple[float, float]
    """Of the first rows, and of the others."""

    rows: int
    """How many rows there are in all."""

    use_seen: bool = True
    """Whether it was seen what the gradient of the loss is multiplied by before it is used."""

    numbers: int = 1
    """How many numbers the loss is, such as one for each row; their sum is what is given here."""


@dataclass(frozen=True)
class OverfitTrial:
    """A copy of the model that was trained on one batch alone."""

    start: float
    """The cross-entropy of the batch before, in nats."""

    best: float
    """The least cross-entropy that was reached, in nats."""

    base_rate: float
    """The entropy of the shares of the batch's labels, in nats."""

    rows: int
    """How many rows the batch has."""

    updates: int
    """How many steps of Adam were made, for each of the learning rates."""

    rates: tuple[float, ...]
    """The learning rates that were tried."""


@dataclass(frozen=True)
class Accumulated:
    """Batches whose gradients were added before one update."""

    rows: tuple[float, ...]
    """How much each batch weighs: its rows that count, or the sum of their weights."""

    row_weights: tuple[float, ...]
    """How much a row of each batch weighs in the gradient; the mean over all rows is 1."""

    accumulated_loss: float
    """The loss by the weights of the update."""

    one_batch_loss: float
    """The mean loss over all rows."""

    gradient_difference: float
    """The norm of the difference of both gradients over that of the one batch."""

    processes: bool = False
    """Whether the batches are those of processes that train together."""


@dataclass(frozen=True)
class ModeLosses:
    """The loss of one batch with the model in train mode and in eval mode."""

    training: bool
    """The mode in which the loss was asked for."""

    learning: bool
    """Whether its gradient was asked for."""

    train: float
    """The loss in train mode."""

    evaluation: float
    """The loss in eval mode."""

    modules: tuple[str, ...]
    """The classes of the modules that differ by mode."""

    always: tuple[str, ...]
    """The classes of the modules that drop in eval mode, too."""

    step: int
    """Which call of the loss, from 1."""


@dataclass(frozen=True)
class HalfPrecisionLoss:
    """A loss that was computed in half precision, and the same in float64."""

    dtype: str
    """The type of the loss."""

    loss: float
    """As it was computed."""

    exact: float
    """In float64, of the same outputs."""


@dataclass(frozen=True)
class SquaredError:
    """What squared error and cross-entropy send back to the logits of one batch."""

    squared: float
    """The root mean square of the gradient of the squared error."""

    cross_entropy: float
    """The same of the mean cross-entropy."""

    of: str
    """What made the outputs of the logits: "softmax" or "sigmoid"."""

    classes: int
    """How many outputs a row has."""


@dataclass(frozen=True)
class StaleGradient:
    """A gradient of an earlier update that was still there when the next one was added."""

    update: int
    """Which update, from 1."""

    share: float
    """The norm of what was there, over the norm of the gradient that the update used."""


@dataclass(frozen=True)
class Unreached:
    """Layers that ran and are updated, and that the gradient of the loss does not reach."""

    layers: tuple[str, ...]
    """Their paths."""

    parameters: int
    """How many parameters they have."""

    all_parameters: int
    """How many parameters of the model are updated."""

    steps: int
    """In how many steps in a row."""


@dataclass(frozen=True)
class LossCurve:
    """Each loss of the training, and what always giving the classes their shares would cost."""

    losses: tuple[float, ...]
    """The losses, in nats."""

    base_rate: float
    """The entropy of the shares of the labels, in nats."""

    labels: int
    """How many labels the shares are of."""

    classes: int
    """How many classes are among them."""


@dataclass(frozen=True)
class Training:
    """What was seen of a training; what is None was not seen."""

    steps: tuple[LookedAtStep, ...] = ()
    """The steps that were repeated on a copy."""

    updates: int = 0
    """How many updates an optimizer made."""

    gradient_ratio: float | None = None
    """The norm of the gradient that the first update used, over that of the loss itself."""

    not_finite: NotFinite | None = None
    shuffled: ShuffledLabels | None = None
    split: SplitBatch | None = None
    overfit: OverfitTrial | None = None
    accumulated: Accumulated | None = None
    train_mode: ModeLosses | None = None
    """Of a step that learns."""

    evaluation_mode: ModeLosses | None = None
    """Of a loss of which no gradient was asked."""

    half: HalfPrecisionLoss | None = None
    squared: SquaredError | None = None
    stale: StaleGradient | None = None
    unreached: Unreached | None = None
    curve: LossCurve | None = None

    def hidden_gradients(self) -> list[LayerGradient]:
        """Return the gradients of the last step at the layers before the last one.

        Those that are 0 or not finite are left out, and all where the loss is not finite.
        """
        if not self.steps or not math.isfinite(self.steps[-1].loss):
            return []
        return [each for each in self.steps[-1].layers[:-1] if 0 < each.norm < math.inf]
