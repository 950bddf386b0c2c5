"""Losses of rows of classes, by Keras's names: the loss of each row, in nats."""

from __future__ import annotations

from typing import Any

from keras import ops

from plogq.errors import check_number, refuse
from plogq.keras import probabilities
from plogq.keras.arguments import (
    DEVICE,
    Found,
    Rows,
    Tensor,
    arithmetic,
    as_exponent,
    as_floats,
    as_share,
    by_class,
    by_row,
    check_eps,
    classes_last,
    fits,
    row_mask,
    sizes,
    with_distributions,
    with_labels,
)
from plogq.keras.namespace import xp
from plogq.kernels.question import Options, check_options


@by_row
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    *,
    label_smoothing: float = 0.0,
    class_weight: Any = None,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """−Σ_j w_j t_j log p_j of each row, t = (1 − ε) [j = y] + ε/C, in nats.

    Parameters
    ----------
    y_true
        Class indices, integers or whole floats, in the shape of `y_pred` without `axis`, or with
        the size 1 there. No one-hot rows are made of them.
    y_pred : (…, C, …)
        Probabilities p, or logits x with p = softmax(x); −inf masks a class.
    from_logits
        Whether these are logits, from which the loss is exact.
    ignore_class
        A row with this label is left out: loss 0 and gradient 0, whatever it holds.
    axis
        Of the classes.
    label_smoothing
        ε in [0, 1].
    class_weight : (C,)
        w, a sequence, or a dict where the other classes count 1.
    mask
        bool, in the shape of the rows: a row that is False is left out.
    eps
        A floor of given probabilities, named by the caller: p counts as max(p, eps). With 0, an
        impossible label costs inf.

    Returns
    -------
    Tensor
        One loss for each row, float32 or float64.

    Raises
    ------
    ValueError, TypeError
        A label that is no class, or a row of predictions that is no distribution, with its row;
        shapes that do not fit. While TensorFlow or JAX traces, the loss of such a row is NaN.

    Notes
    -----
    Differs from Keras: probabilities are neither renormalised nor clipped.
    Differs from Keras: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.array([[2.0, 0.5, -1.0, 0.0]])
    >>> loss = sparse_categorical_crossentropy(np.array([0]), logits, from_logits=True)
    >>> print(f"{float(loss[0]):.4f}")
    0.3423
    """
    rows = with_labels(y_true, y_pred, axis, mask, ignore_class)
    weight = by_class("class_weight", class_weight, rows.x)
    return row_losses(rows, from_logits, label_smoothing, 0.0, weight, eps)


@by_row
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    class_weight: Any = None,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """−Σ_j w_j t_j log p_j of each row of distributions t, in nats.

    Smoothing makes t (1 − ε) t + ε/C. `sparse_categorical_crossentropy` has the other parameters.

    Parameters
    ----------
    y_true : (…, C, …)
        t, one-hot or soft: none negative, and a sum of 1.
    y_pred, from_logits, label_smoothing, axis, class_weight, mask, eps
        As there.

    Examples
    --------
    >>> import numpy as np
    >>> loss = categorical_crossentropy(np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]]))
    >>> print(f"{float(loss[0]):.4f}")
    0.6931
    """
    rows = with_distributions(y_true, y_pred, axis, mask)
    weight = by_class("class_weight", class_weight, rows.x)
    return row_losses(rows, from_logits, label_smoothing, 0.0, weight, eps)


@by_row
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """−Σ_j α_j t_j (1 − p_j)^γ log p_j of each row of distributions t: easy rows count less.

    Parameters
    ----------
    y_true, y_pred, from_logits, label_smoothing, axis, mask, eps
        As `categorical_crossentropy` has them.
    alpha
        α, one number, or one per class.
    gamma
        γ ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> t, p = np.array([[1.0, 0.0]]), np.array([[0.9, 0.1]])
    >>> print(f"{float(categorical_focal_crossentropy(t, p, alpha=1.0)[0]):.6f}")
    0.001054

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), Focal loss for dense object detection.
    """
    rows = with_distributions(y_true, y_pred, axis, mask)
    return _focal(rows, alpha, gamma, from_logits, label_smoothing, eps)


@by_row
def sparse_categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    ignore_class: int | None = None,
    axis: int = -1,
    *,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """`categorical_focal_crossentropy` of class indices, which Keras has not.

    Examples
    --------
    >>> import numpy as np
    >>> y, p = np.array([0]), np.array([[0.9, 0.1]])
    >>> print(f"{float(sparse_categorical_focal_crossentropy(y, p, alpha=1.0)[0]):.6f}")
    0.001054
    """
    rows = with_labels(y_true, y_pred, axis, mask, ignore_class)
    return _focal(rows, alpha, gamma, from_logits, label_smoothing, eps)


@by_row
def distillation(
    y_true: Any,
    y_pred: Any,
    temperature: float = 2.0,
    alpha: float = 0.5,
    axis: int = -1,
    *,
    mask: Any = None,
) -> Found:
    """α T² D_KL(softmax(teacher/T) ‖ softmax(x/T)) + (1 − α) cross-entropy(x, label) of each row.

    T² keeps the size of the gradient as T grows. Without labels it is the first term, without α.

    Parameters
    ----------
    y_true
        The teacher's logits in the shape of `y_pred`; or these with the label of each row after
        its last class, (…, C + 1, …), so that `fit` passes both on.
    y_pred : (…, C, …)
        x, the student's logits.
    temperature
        T > 0, of the first term alone.
    alpha
        α in [0, 1].
    axis, mask
        As `sparse_categorical_crossentropy` has them.

    Examples
    --------
    >>> import numpy as np
    >>> teacher, student = np.array([[3.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> print(f"{float(distillation(teacher, student)[0]):.4f}")
    0.3610
    >>> with_label = np.array([[3.0, 0.0, 0]])
    >>> print(f"{float(distillation(with_label, student, alpha=0.25)[0]):.4f}")
    0.3252

    References
    ----------
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2.
    """
    check_options(Options(temperature=temperature))
    alpha = as_share("alpha", alpha)
    x = classes_last("y_pred", as_floats("y_pred", y_pred), axis)
    given = classes_last("y_true", as_floats("y_true", y_true), axis)
    shape = sizes(x)
    classes: int = x.shape[-1]
    if not any(fits(sizes(given), (*shape[:-1], classes + more)) for more in (0, 1)):
        expected = f"be logits of shape {shape}, or these with a label after the last class"
        refuse("y_true", expected, f"shape {sizes(given)}")
    teacher = ops.cast(given[..., :classes], arithmetic(x))
    if given.shape[-1] == classes:
        rows = Rows(x, None, row_mask(mask, shape[:-1]), None)
    else:
        rows = with_labels(given[..., -1], x, -1, mask)
    answer = DEVICE.distillation_loss(x, teacher, rows.target, rows.keep, float(temperature), alpha)
    return Found(rows.sounded(answer), rows.keep)


def _focal(
    rows: Rows, alpha: Any, gamma: float, from_logits: bool, label_smoothing: float, eps: float
) -> Found:
    scale, weight = alpha, None
    if isinstance(alpha, (list, tuple, dict)) or len(getattr(alpha, "shape", ())):
        scale, weight = 1.0, alpha
    check_number("alpha", scale)
    if not scale >= 0:
        refuse("alpha", "be at least 0", scale)
    gamma = as_exponent("gamma", gamma)
    weight = by_class("alpha", weight, rows.x)
    found = row_losses(rows, from_logits, label_smoothing, gamma, weight, eps)
    return Found(scale * found.losses, rows.keep)


def row_losses(
    rows: Rows,
    from_logits: bool,
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
    weight: Tensor | None = None,
    eps: float = 0.0,
) -> Found:
    """Return −Σ_j w_j t_j (1 − p_j)^γ log p_j of each row, after checking predictions."""
    label_smoothing, eps = (
        as_share("label_smoothing", label_smoothing),
        check_eps(eps, from_logits),
    )
    if from_logits:
        losses = DEVICE.softmax_loss(rows.x, rows.target, rows.keep, weight, label_smoothing, gamma)
    else:
        rows = probabilities.checked_probabilities(rows)
        losses = probabilities.softmax_loss(rows, weight, label_smoothing, gamma, eps)
        losses = losses if rows.keep is None else xp.where(rows.keep, losses, 0.0)
    return Found(rows.sounded(losses), rows.keep, _counts(rows, weight))


def _counts(rows: Rows, weight: Tensor | None) -> Tensor | None:
    """Return Σ_j w_j t_j of each row; None without weights."""
    if weight is None:
        return None
    if len(sizes(rows.target)) < len(sizes(rows.x)):
        return ops.take(weight, rows.target, axis=0)
    return ops.sum(weight * rows.target, axis=-1)
