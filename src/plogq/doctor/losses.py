"""What each loss takes, under the names of each framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plogq.errors import refuse

Takes = Literal["logits", "log-probabilities", "probabilities", "numbers"]
Of = Literal["softmax", "sigmoid", "distributions", "numbers"]


@dataclass(frozen=True)
class Loss:
    """A loss of a framework.

    Attributes
    ----------
    takes
        What its outputs are to be.
    of
        Which outputs belong together: those of a softmax, each of a sigmoid, distributions whose
        divergence is asked for, or numbers of their own.
    """

    takes: Takes
    of: Of


LOGITS, BINARY_LOGITS = Loss("logits", "softmax"), Loss("logits", "sigmoid")
PROBABILITIES, BINARY = Loss("probabilities", "softmax"), Loss("probabilities", "sigmoid")
NUMBERS = Loss("numbers", "numbers")

LOSSES: dict[str, dict[str, Loss]] = {
    "torch": {
        "cross_entropy": LOGITS,
        "nll_loss": Loss("log-probabilities", "softmax"),
        "binary_cross_entropy_with_logits": BINARY_LOGITS,
        "binary_cross_entropy": BINARY,
        "kl_div": Loss("log-probabilities", "distributions"),
        "mse_loss": NUMBERS,
    },
    "keras": {
        "sparse_categorical_crossentropy": PROBABILITIES,
        "categorical_crossentropy": PROBABILITIES,
        "binary_crossentropy": BINARY,
        "kl_divergence": Loss("probabilities", "distributions"),
        "mean_squared_error": NUMBERS,
    },
    "jax": {
        "softmax_cross_entropy_with_integer_labels": LOGITS,
        "softmax_cross_entropy": LOGITS,
        "sigmoid_binary_cross_entropy": BINARY_LOGITS,
        "kl_divergence": Loss("log-probabilities", "distributions"),
        "squared_error": NUMBERS,
    },
    "numpy": {
        "cross_entropy": LOGITS,
        "log_loss": PROBABILITIES,
        "binary_cross_entropy_with_logits": BINARY_LOGITS,
        "brier_score_loss": NUMBERS,
    },
}


def loss_of(framework: str, name: str, from_logits: bool | None = None) -> Loss:
    """Return what a framework's loss takes; `from_logits` as Keras has it.

    Raises
    ------
    ValueError
        No such framework, or no such loss in it.

    Examples
    --------
    >>> loss_of("keras", "binary_crossentropy", from_logits=True)
    Loss(takes='logits', of='sigmoid')
    """
    if framework not in LOSSES:
        refuse("framework", f"be one of {', '.join(LOSSES)}", repr(framework))
    if name not in LOSSES[framework]:
        refuse("loss", f"be one of {', '.join(LOSSES[framework])}", repr(name))
    loss = LOSSES[framework][name]
    return Loss("logits", loss.of) if from_logits else loss
