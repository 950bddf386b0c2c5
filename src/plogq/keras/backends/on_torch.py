"""On PyTorch: the losses of `plogq.torch`, with its engines."""

from __future__ import annotations

from typing import Any

import torch

import plogq.torch as pt

Tensor = torch.Tensor


def softmax_loss(
    x: Tensor,
    target: Tensor,
    keep: Tensor | None,
    weight: Tensor | None,
    label_smoothing: float,
    gamma: float,
) -> Tensor:
    """Return cross-entropy, or the focal loss, of each row of logits (…, C)."""
    loss: Tensor = pt.cross_entropy(
        _rows(x),
        _like_rows(target, x),
        weight,
        reduction="none",
        label_smoothing=label_smoothing,
        gamma=gamma,
        mask=None if keep is None else keep.reshape(-1),
        validate=False,
    )
    return loss.reshape(x.shape[:-1])


def distillation_loss(
    x: Tensor,
    teacher: Tensor,
    target: Tensor | None,
    keep: Tensor | None,
    temperature: float,
    alpha: float,
) -> Tensor:
    """Return the distillation loss of each row of logits (…, C)."""
    loss: Tensor = pt.distillation_loss(
        _rows(x),
        _rows(teacher),
        None if target is None else _like_rows(target, x),
        temperature=temperature,
        alpha=alpha,
        reduction="none",
        mask=None if keep is None else keep.reshape(-1),
        validate=False,
    )
    return loss.reshape(x.shape[:-1])


def binary_loss(
    z: Tensor, target: Tensor, keep: Tensor | None, gamma: float, alpha: float | None
) -> Tensor:
    """Return binary cross-entropy, or the focal loss, of each logit."""
    options: Any = {"reduction": "none", "mask": keep, "validate": False}
    if gamma or alpha is not None:
        return pt.binary_focal_loss(z, target, gamma, alpha, **options)
    return pt.binary_cross_entropy_with_logits(z, target, **options)


def is_known(x: Tensor) -> bool:
    """Tell whether the values of a tensor can be looked at."""
    return x.device.type != "meta" and not torch.compiler.is_compiling()


def replicas() -> int:
    """Return how many replicas share a batch."""
    return 1


def _rows(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1])


def _like_rows(target: Tensor, x: Tensor) -> Tensor:
    return _rows(target) if target.ndim == x.ndim else target.reshape(-1)
