"""Losses of logits that bend the surprisal of the target."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import numpy.typing as npt

from plogq.kernels.question import Options
from plogq.numpy import _engines
from plogq.numpy._reducer import Array, Reduction
from plogq.numpy.softmax_losses import answered


class RowOptions(TypedDict, total=False):
    """The keywords that the losses here take, as `cross_entropy` does."""

    weight: npt.ArrayLike | None
    ignore_index: int
    reduction: Reduction
    label_smoothing: float
    temperature: float
    z_loss: float
    softcap: float | None
    row_weight: npt.ArrayLike | None
    mask: npt.ArrayLike | None
    denominator: float | None
    return_grad: bool
    out: Array | None
    return_stats: bool


def generalised_cross_entropy(
    logits: npt.ArrayLike, target: npt.ArrayLike, *, q: float = 0.7, **options: Unpack[RowOptions]
) -> Any:
    """Generalised cross-entropy of softmax(logits) with its targets, and its gradient.

    loss_i = Σ_j w_j t_ij (1 − p_ij^q)/q; q → 0 is `cross_entropy`, q = 1 is 1 − p_y.

    Parameters
    ----------
    logits, target, **options
        As for `cross_entropy`: see `RowOptions`.
    q
        In [0, 1]; 0.7 is the paper's.

    Returns
    -------
    loss, (loss, gradient), (loss, Statistics) or (loss, gradient, Statistics)
        As for `cross_entropy`; the loss is in nats as q → 0.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; q outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> float(generalised_cross_entropy(np.log([[0.25, 0.75]]), [0], q=0.5))
    1.0

    References
    ----------
    Zhang, Sabuncu (2018), Generalized cross entropy loss for training deep neural networks with
    noisy labels, equation 6.
    """
    return _answered(_engines.generalised_cross_entropy(q), logits, target, options)


def poly_loss(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    epsilon: float = 2.0,
    **options: Unpack[RowOptions],
) -> Any:
    """Poly-1 of softmax(logits) with its targets, and its gradient.

    loss_i = Σ_j w_j t_ij (−log p_ij + ε (1 − p_ij)); ε = 0 is `cross_entropy`.

    Parameters
    ----------
    logits, target, **options
        As for `cross_entropy`: see `RowOptions`.
    epsilon
        ε, finite and at least −1; 2 is the paper's for ImageNet.

    Returns
    -------
    loss, (loss, gradient), (loss, Statistics) or (loss, gradient, Statistics)
        As for `cross_entropy`, in nats.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; ε below −1.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(poly_loss(np.log([[0.25, 0.75]]), [0])), 4)
    2.8863

    References
    ----------
    Leng et al. (2022), PolyLoss: a polynomial expansion perspective of classification loss
    functions, equation 6.
    """
    return _answered(_engines.poly(epsilon), logits, target, options)


def _answered(
    loss: _engines.RowLoss, logits: npt.ArrayLike, target: npt.ArrayLike, options: RowOptions
) -> Any:
    rest: dict[str, Any] = dict(options)
    bending = ("label_smoothing", "temperature", "z_loss")
    bent = {name: rest.pop(name) for name in bending if name in rest}
    return answered(loss, logits, target, Options(**bent), **rest)
