"""What each loss takes, under the names of each framework."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from plogq.errors import refuse

Takes = Literal["logits", "log-probabilities", "probabilities", "numbers"]
Of = Literal["softmax", "sigmoid", "distributions", "numbers"]
Targets = Literal["indices", "distributions", "either"]


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
    targets
        What a softmax's targets are to be: class indices, distributions (also one-hot rows), or
        either of them.
    eps
        The least probability that the loss uses; a smaller one is replaced by it. 0 for none.
    broadcasts
        Whether outputs and targets of two shapes are broadcast; other losses refuse them.
    """

    takes: Takes
    of: Of
    targets: Targets = "distributions"
    eps: float = 0.0
    broadcasts: bool = False


LOGITS = Loss("logits", "softmax", "either")
INDICES = Loss("logits", "softmax", "indices")
BINARY_LOGITS = Loss("logits", "sigmoid")
PROBABILITIES = Loss("probabilities", "softmax", "either", 2.0**-52)  # of scikit-learn, float64
NUMBERS = Loss("numbers", "numbers")
KERAS_EPS = 1e-7  # keras.config.epsilon()
TORCH_EPS = math.exp(-100)  # binary_cross_entropy takes −100 for a logarithm below it

LOSSES: dict[str, dict[str, Loss]] = {
    "torch": {
        "cross_entropy": LOGITS,
        "nll_loss": Loss("log-probabilities", "softmax", "indices"),
        "binary_cross_entropy_with_logits": BINARY_LOGITS,
        "binary_cross_entropy": Loss("probabilities", "sigmoid", eps=TORCH_EPS),
        "kl_div": Loss("log-probabilities", "distributions"),
        "mse_loss": replace(NUMBERS, broadcasts=True),
        "l1_loss": replace(NUMBERS, broadcasts=True),
        "smooth_l1_loss": replace(NUMBERS, broadcasts=True),
        "huber_loss": replace(NUMBERS, broadcasts=True),
    },
    "keras": {
        "sparse_categorical_crossentropy": Loss("probabilities", "softmax", "indices", KERAS_EPS),
        "categorical_crossentropy": Loss("probabilities", "softmax", eps=KERAS_EPS),
        "binary_crossentropy": Loss("probabilities", "sigmoid", eps=KERAS_EPS),
        "kl_divergence": Loss("probabilities", "distributions", eps=KERAS_EPS),
        "mean_squared_error": NUMBERS,
    },
    "jax": {
        "softmax_cross_entropy_with_integer_labels": INDICES,
        "softmax_cross_entropy": Loss("logits", "softmax"),
        "safe_softmax_cross_entropy": Loss("logits", "softmax"),
        "sigmoid_binary_cross_entropy": replace(BINARY_LOGITS, broadcasts=True),
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

# The losses as classes, and the functions that they compute.
TORCH_CLASSES = {
    "CrossEntropyLoss": "cross_entropy",
    "NLLLoss": "nll_loss",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "BCELoss": "binary_cross_entropy",
    "KLDivLoss": "kl_div",
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
}
KERAS_CLASSES = {
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "BinaryCrossentropy": "binary_crossentropy",
    "KLDivergence": "kl_divergence",
    "MeanSquaredError": "mean_squared_error",
}


def function_of(name: str) -> str:
    """Return the name of the function that a loss of this name computes, a class or itself.

    Examples
    --------
    >>> function_of("CrossEntropyLoss"), function_of("nll_loss")
    ('cross_entropy', 'nll_loss')
    """
    return {**TORCH_CLASSES, **KERAS_CLASSES}.get(name, name)


def loss_of(framework: str, name: str, from_logits: object = None) -> Loss:
    """Return what a framework's loss takes; `from_logits` as Keras has it.

    Raises
    ------
    ValueError
        No such framework, or no such loss in it.

    Examples
    --------
    >>> loss_of("keras", "binary_crossentropy", from_logits=True).takes
    'logits'
    """
    if framework not in LOSSES:
        refuse("framework", f"be one of {', '.join(LOSSES)}", repr(framework))
    if name not in LOSSES[framework]:
        refuse("loss", f"be one of {', '.join(LOSSES[framework])}", repr(name))
    loss = LOSSES[framework][name]
    return replace(loss, takes="logits", eps=0.0) if from_logits else loss


def framework_with(name: str, first: str = "numpy") -> str:
    """Return `first` if it has a loss of this name, or else a framework that has.

    Raises
    ------
    ValueError
        No framework has such a loss.

    Examples
    --------
    >>> framework_with("nll_loss"), framework_with("cross_entropy", "torch")
    ('torch', 'torch')
    """
    for framework in (first, "numpy", *LOSSES):
        if name in LOSSES.get(framework, {}):
            return framework
    names = sorted({name for losses in LOSSES.values() for name in losses})
    return refuse("loss", f"be one of {', '.join(names)}", repr(name))
