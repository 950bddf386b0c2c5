"""The keywords that the losses of `plogq.jax` share."""

from __future__ import annotations

from typing import TypedDict

from plogq.jax.arguments import ArrayLike, Validate


class RowOptions(TypedDict, total=False):
    """The keywords that every softmax loss takes, freely combined.

    Attributes
    ----------
    z_loss : float
        Adds z_loss · (log Σ exp z)² to the loss of each row: it keeps the normaliser near 1.
    softcap : float
        Logits become softcap · tanh(x / softcap) first; −inf stays −inf.
    row_weight : array
        One number per row. A mean divides by their sum. A row of weight 0 has no say, even where
        its loss is inf (NaN shows all the same; see `where`).
    reduction : str
        "none": the loss of each row, as optax gives them; "mean"; "sum".
    denominator : float or 0-d array
        Divides the mean instead of this batch's own total weight: the total of the global batch,
        at least 0. 0 says that nothing is left anywhere, and divides as 1.
    return_stats : bool
        Give (loss, Statistics).
    validate : bool or "checkify"
        Refuse targets that are no distribution: on unless False. A label that is no class is
        refused either way. While JAX traces, the loss of either is NaN, and with "checkify"
        `jax.experimental.checkify` says so; JAX calls such a program more slowly.
    """

    z_loss: float
    softcap: float | None
    row_weight: ArrayLike | None
    reduction: str
    denominator: ArrayLike | None
    return_stats: bool
    validate: Validate


class TemperedOptions(RowOptions, total=False):
    """`RowOptions`, and a temperature.

    Attributes
    ----------
    temperature : float
        T: the loss of z = x / T, with its gradient in x.
    """

    temperature: float


class WeighedOptions(TemperedOptions, total=False):
    """`TemperedOptions`, and what bends cross-entropy and the focal loss.

    Attributes
    ----------
    weight, label_smoothing
        As `cross_entropy` has them.
    """

    weight: ArrayLike | None
    label_smoothing: float


class SoftmaxOptions(WeighedOptions, total=False):
    """`WeighedOptions`, and the exponent of the focal loss.

    Attributes
    ----------
    gamma : float
        γ: a class's term counts (1 − p)^γ.
    """

    gamma: float


class ReducedOptions(TypedDict, total=False):
    """The keywords of each divergence, and of log-probabilities.

    Attributes
    ----------
    reduction, denominator
        As `RowOptions` has them.
    validate : bool or "checkify"
        Refuse what is no probability: on unless False; see `RowOptions`.
    """

    reduction: str
    denominator: ArrayLike | None
    validate: Validate


class ElementOptions(ReducedOptions, total=False):
    """`ReducedOptions`, and the smoothing of targets: the keywords that every binary loss takes.

    Attributes
    ----------
    label_smoothing : float
        ε in [0, 1]: a target t becomes (1 − ε) t + ε/2.
    """

    label_smoothing: float
