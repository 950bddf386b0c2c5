"""What is asked of rows of logits: the options of the loss, the targets, and how it is reduced."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from plogq.errors import check_number, refuse

Array = Any  # an array of the door's own library


class Options(NamedTuple):
    """The numbers that bend a softmax loss, of z = x / T with p = softmax(z).

    Attributes
    ----------
    label_smoothing
        ε in [0, 1]: a target t becomes (1 − ε) t + ε/K over the K classes that are not masked.
    gamma
        γ ≥ 0 of the focal loss: a class's term counts (1 − p)^γ.
    temperature
        T > 0: the loss of x / T, with its gradient in x.
    z_loss
        ζ: adds ζ (log Σ exp z)² to the loss of each row, which keeps the normaliser near 1.
    """

    label_smoothing: float = 0.0
    gamma: float = 0.0
    temperature: float = 1.0
    z_loss: float = 0.0


PLAIN = Options()
_NUMBERS = (float, int)


def check_options(options: Options) -> None:
    """Refuse an option for which a softmax loss is not defined."""
    if options is PLAIN:
        return
    smoothing, gamma, temperature, z_loss = options
    if (
        type(smoothing) in _NUMBERS
        and type(gamma) in _NUMBERS
        and type(temperature) in _NUMBERS
        and type(z_loss) in _NUMBERS
        and 0 <= smoothing <= 1
        and 0 <= gamma < math.inf
        and 1e-30 <= temperature <= 1e30
        and -math.inf < z_loss < math.inf
    ):
        return
    for name, value in options._asdict().items():
        check_number(name, value)
    if not 0 <= smoothing <= 1:
        refuse("label_smoothing", "be in [0, 1]", smoothing)
    if not 0 <= gamma < math.inf:
        refuse("gamma", "be at least 0 and finite", gamma)
    if not 1e-30 <= temperature <= 1e30:
        refuse("temperature", "be in [1e-30, 1e30]", temperature)
    if not -math.inf < z_loss < math.inf:
        refuse("z_loss", "be finite", z_loss)


@dataclass(slots=True)
class Question:
    """A loss of R rows over C classes, in the form in which a door asks its engines.

    Attributes
    ----------
    target
        (R,) class indices; or distributions, like the logits; None where the loss has no target.
    soft
        Whether the target is distributions.
    ignore_index
        The class that leaves a row out.
    weight
        (C,) by class; None for 1.
    keep
        (R,) bool: a row that is False has loss 0 and gradient 0; None for all.
    options
        The numbers that change the loss: smoothing, γ, T and ζ.
    shape
        The shape of the losses if reduction is "none".
    reduction
        "none", "mean" or "sum".
    row_weight
        (R,) the weight of each row, 0 where it is left out; None for 1.
    denominator
        The divisor of a mean; None for the total weight of its rows.
    by_class
        Whether the rows of that total count with their class weights.
    validate
        Whether targets that are no distribution are refused.
    statistics
        Whether the statistics of the rows are wanted, too.
    """

    target: Array | None
    soft: bool
    ignore_index: int
    weight: Array | None
    keep: Array | None
    options: Options
    shape: tuple[int, ...]
    reduction: str = "none"
    row_weight: Array | None = None
    denominator: Any = None
    by_class: bool = False
    validate: bool = True
    statistics: bool = False

    def kept(self) -> Array | None:
        """Return (R,) bool, without the ignored rows; None where all count."""
        if self.soft or self.target is None:
            return self.keep
        counted = self.target != self.ignore_index
        return counted if self.keep is None else counted & self.keep


class Statistics(NamedTuple):
    """Statistics of the rows from the pass that computed their loss; detached, in nats.

    Attributes
    ----------
    lse
        log Σ exp z of each row, z the logits after `softcap` and `temperature`; −inf where it is
        left out.
    entropy
        H(softmax(z)) of each row; 0 where it is left out.
    argmax
        The predicted class of each row; −1 where it is left out, or where its lse is NaN.
    accuracy
        The share of rows, among those that count, whose prediction is the target (for a
        distribution, its most likely class; without target, any); 0 where none counts.
    """

    lse: Any
    entropy: Any
    argmax: Any
    accuracy: Any
