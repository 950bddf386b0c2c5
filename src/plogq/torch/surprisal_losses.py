"""Losses of logits that bend the surprisal of the target."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from plogq.formulas.surprisal_costs import Cost, generalised_cost, poly_cost
from plogq.torch.engines.blocks import surprisal_slopes
from plogq.torch.engines.formula import surprisal_rows
from plogq.torch.options import TemperedOptions
from plogq.torch.questions import RowLoss
from plogq.torch.softmax import softmax_loss


def generalised_cross_entropy(
    input: Tensor,
    target: Tensor,
    q: float = 0.7,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Any:
    """Σ_j w_j t_j (1 − p_j^q)/q with p = softmax(x): a row whose label is wrong counts less.

    q → 0 is `cross_entropy`, in nats; q = 1 is 1 − p_y, half the absolute error. A row costs at
    most 1/q, also where its target is a masked class. The mean divides as in `cross_entropy`.

    Parameters
    ----------
    input, target, weight, ignore_index, reduction, label_smoothing, **options
        As for `cross_entropy`.
    q
        In [0, 1]; 0.7 is the paper's.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; q outside [0, 1].

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[0.25, 0.75]]).log()
    >>> generalised_cross_entropy(logits, torch.tensor([0]), q=0.5)
    tensor(1.)

    References
    ----------
    Zhang, Sabuncu (2018), Generalized cross entropy loss for training deep neural networks with
    noisy labels, equation 6.
    """
    return softmax_loss(
        input,
        target,
        _row_loss("generalised cross-entropy", generalised_cost(q)),
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
        **options,
    )


def poly_loss(
    input: Tensor,
    target: Tensor,
    epsilon: float = 2.0,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Any:
    """Σ_j w_j t_j (−log p_j + ε (1 − p_j)) with p = softmax(x): Poly-1, in nats.

    ε = 0 is `cross_entropy`; ε > 0 lets sure, right rows count more. The mean divides as there.

    Parameters
    ----------
    input, target, weight, ignore_index, reduction, label_smoothing, **options
        As for `cross_entropy`.
    epsilon
        ε, finite and at least −1; 2 is the paper's for ImageNet.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; ε below −1.

    Examples
    --------
    >>> import torch
    >>> poly_loss(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([0]))
    tensor(2.8863)

    References
    ----------
    Leng et al. (2022), PolyLoss: a polynomial expansion perspective of classification loss
    functions, equation 6.
    """
    return softmax_loss(
        input,
        target,
        _row_loss("Poly-1", poly_cost(epsilon)),
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
        **options,
    )


def _row_loss(name: str, cost: Cost) -> RowLoss:
    return RowLoss(name, surprisal_rows(cost), surprisal_slopes(cost), cost=cost)
