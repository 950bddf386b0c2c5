"""The keywords that the softmax losses take beyond torch's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn, TypedDict

from torch import Tensor

from plogq.kernels.question import PLAIN, Options


class RowOptions(TypedDict, total=False):
    """The keywords that every softmax loss takes beyond torch's, freely combined.

    Attributes
    ----------
    z_loss : float
        Adds z_loss · (log Σ exp z)² to the loss of each row: it keeps the normaliser near 1.
    softcap : float
        The logits are first replaced by softcap · tanh(x / softcap); −inf stays −inf.
    row_weight : Tensor
        One number per row, in the shape of the unreduced loss. A mean divides by their sum. A row
        of weight 0 adds nothing, even if its loss is inf (but NaN stays NaN; see `mask`).
    mask : Tensor
        bool, in the same shape: a row that is False is left out, whatever it holds.
    denominator : float or 0-d Tensor
        The divisor of the mean instead of this batch's own total weight: the total of the global
        batch, at least 0. 0 (no row is left anywhere) divides as 1.
    inplace : bool
        Let the gradient overwrite the logits if that saves its memory. They must not be a leaf, and
        are undefined afterwards, even if a distribution is refused; autograd raises if something
        else still needs them.
    return_stats : bool
        Give (loss, Statistics), from the same pass.
    validate : bool
        Refuse targets that are no distribution; the default is True. A label that is no class is
        always refused, if not by us then by torch. Where values cannot be read (inside torch.func
        transforms, while a graph is traced, inside torch.compile except for the operator of
        cross-entropy), or where a kernel on a GPU would have to be waited for, the loss of such a
        row, and its gradient, is NaN.
    """

    z_loss: float
    softcap: float | None
    row_weight: Tensor | None
    mask: Tensor | None
    denominator: float | Tensor | None
    inplace: bool
    return_stats: bool
    validate: bool


class TemperedOptions(RowOptions, total=False):
    """`RowOptions`, and a temperature.

    Attributes
    ----------
    temperature : float
        T: the loss of z = x / T, with its gradient in x.
    """

    temperature: float


class SoftmaxOptions(TemperedOptions, total=False):
    """`TemperedOptions`, and the exponent of the focal loss.

    Attributes
    ----------
    gamma : float
        γ: a class's term counts (1 − p)^γ.
    """

    gamma: float


class ElementOptions(TypedDict, total=False):
    """The keywords that every binary loss takes beyond torch's, freely combined.

    Attributes
    ----------
    label_smoothing : float
        ε in [0, 1]: a target t becomes (1 − ε) t + ε/2.
    ignore_index : int
        Elements with this target are left out, whatever their logit is.
    mask : Tensor
        bool, broadcasts to the shape of the input, so (C,) for a mask by class: an element that is
        False is left out, whatever it holds. What is left out has loss 0 and gradient 0, and is
        not counted by a mean.
    denominator : float or 0-d Tensor
        The divisor of the mean instead of the number of elements that count.
    validate : bool
        Refuse targets outside [0, 1]; the default is True. Where values cannot be read, or a
        kernel on a GPU would have to be waited for, the loss of such an element, and its gradient,
        is NaN.
    """

    label_smoothing: float
    ignore_index: int | None
    mask: Tensor | None
    denominator: float | Tensor | None
    validate: bool


_KNOWN = SoftmaxOptions.__annotations__


def bending(label_smoothing: float, options: SoftmaxOptions) -> Options:
    """Return the numbers among the keywords, and refuse a keyword that nobody knows."""
    bent = {}
    for name, value in options.items():
        if name not in _KNOWN:
            refuse_unknown(name, _KNOWN)
        if name in Options._fields:
            bent[name] = value
    if not bent and type(label_smoothing) is float and label_smoothing == 0:
        return PLAIN
    return Options(label_smoothing, **bent)  # type: ignore[arg-type]


def refuse_unknown(name: str, known: Iterable[str]) -> NoReturn:
    """Refuse a keyword that a loss has not."""
    raise TypeError(f"unexpected keyword argument {name!r}; options: {', '.join(known)}")
