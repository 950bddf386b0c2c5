"""Metrics for `compile` and `evaluate`: of all rows, and not a mean over batches."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from plogq.errors import check_count
from plogq.formulas.terms import neg_log_share, times
from plogq.keras.arguments import (
    Rows,
    Tensor,
    as_floats,
    as_tensor,
    with_distributions,
    with_labels,
)
from plogq.keras.losses import registered
from plogq.keras.namespace import xp
from plogq.keras.reductions import mask_of, weights_of
from plogq.keras.softmax_losses import row_losses


class _Metric(keras.metrics.Metric):  # type: ignore[misc]
    """Sums over rows, each kept with the part that its rounding has lost."""

    def __init__(
        self,
        name: str,
        dtype: Any,
        sums: dict[str, tuple[int, ...]],
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
        **options: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.options: dict[str, Any] = {
            "from_logits": from_logits,
            "ignore_class": ignore_class,
            "axis": axis,
        }
        self.options |= options
        self.sums = {
            part: [self.add_variable(shape, "zeros", name=f"{part}_{i}") for i in range(2)]
            for part, shape in sums.items()
        }

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add rows; those of `ignore_class`, or that a mask of Keras leaves out, add nothing."""
        x, y, axis = as_floats("y_pred", y_pred), as_tensor("y_true", y_true), self.options["axis"]
        mask = mask_of(y_pred, x)
        if len(y.shape) < len(x.shape) or y.shape[axis] == 1 != x.shape[axis]:
            rows = with_labels(y, x, axis, mask, self.options["ignore_class"])
        else:
            rows = with_distributions(y, x, axis, mask)
        found = row_losses(rows, self.options["from_logits"], eps=self.options.get("eps", 0.0))
        weight = ops.ones_like(found.losses)
        if sample_weight is not None:
            weight = weights_of(sample_weight, found.losses)
        if found.keep is not None:
            weight = xp.where(found.keep, weight, 0.0)
        for part, new in self.added(rows, found.losses, weight).items():
            total, lost = self.sums[part]
            new = ops.cast(new, self.dtype) + lost
            later = total + new
            lost.assign(new - (later - total))
            total.assign(later)

    def added(self, rows: Rows, losses: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """Return what rows add to each sum."""
        return {"loss": ops.sum(times(xp, weight, losses)), "weight": ops.sum(weight)}

    def mean_loss(self) -> Tensor:
        """Return Σ w · loss / Σ w in nats; 0 of no rows."""
        loss, weight = self.total("loss"), self.total("weight")
        return loss / xp.where(weight == 0, 1.0, weight)

    def total(self, part: str) -> Tensor:
        """Return a sum."""
        total, lost = self.sums[part]
        return total + lost

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {**super().get_config(), **self.options}


@registered
class Perplexity(_Metric):
    """exp of the mean cross-entropy in nats: over how many equal choices the model is as unsure.

    Parameters
    ----------
    from_logits, ignore_class, axis, eps
        As `sparse_categorical_crossentropy` has them. Targets are class indices, or distributions
        in the shape of the predictions.
    """

    def __init__(
        self, name: str = "perplexity", dtype: Any = None, *, eps: float = 0.0, **options: Any
    ) -> None:
        super().__init__(name, dtype, {"loss": (), "weight": ()}, eps=eps, **options)

    def result(self) -> Tensor:
        """Return the perplexity of all rows so far."""
        return ops.exp(self.mean_loss())


@registered
class BitsPerLabel(_Metric):
    """The mean cross-entropy in bits: what a code of the labels by this model takes.

    Parameters
    ----------
    from_logits, ignore_class, axis, eps
        As `Perplexity` has them.
    """

    def __init__(
        self, name: str = "bits_per_label", dtype: Any = None, *, eps: float = 0.0, **options: Any
    ) -> None:
        super().__init__(name, dtype, {"loss": (), "weight": ()}, eps=eps, **options)

    def result(self) -> Tensor:
        """Return the bits per label of all rows so far."""
        return self.mean_loss() / math.log(2)


@registered
class InformationGain(_Metric):
    """The entropy of the labels' own shares minus the mean cross-entropy, in bits.

    0 is a model that knows only how frequent each class is; below 0, one that knows less.

    Parameters
    ----------
    num_classes
        C.
    from_logits, ignore_class, axis, eps
        As `Perplexity` has them.
    """

    def __init__(
        self,
        num_classes: int,
        name: str = "information_gain",
        dtype: Any = None,
        *,
        eps: float = 0.0,
        **options: Any,
    ) -> None:
        check_count("num_classes", num_classes, 2)
        sums: dict[str, tuple[int, ...]] = {"loss": (), "weight": (), "labels": (num_classes,)}
        super().__init__(name, dtype, sums, eps=eps, **options)
        self.options["num_classes"] = num_classes

    def added(self, rows: Rows, losses: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """Return what rows add, and the weight of each label."""
        label, flat = rows.target, ops.reshape(weight, (-1,))
        classes = self.options["num_classes"]
        if len(label.shape) < len(rows.x.shape):
            counts = ops.segment_sum(flat, ops.reshape(label, (-1,)), num_segments=classes)
        else:
            counts = ops.sum(flat[:, None] * ops.reshape(label, (-1, classes)), axis=0)
        return {**super().added(rows, losses, weight), "labels": counts}

    def result(self) -> Tensor:
        """Return the gain of all rows so far."""
        labels, weight = self.total("labels"), self.total("weight")
        entropy = ops.sum(labels * neg_log_share(xp, labels)) / xp.where(weight == 0, 1.0, weight)
        return (entropy - self.mean_loss()) / math.log(2)


@registered
class CalibrationError(_Metric):
    """Σ_b |Σ_{i in b} w_i (confidence_i − right_i)| / Σ w: how far confidence is from accuracy.

    The confidence is the probability of the predicted class, and bin b of B holds those in
    [b/B, (b + 1)/B); 1 belongs to the last bin.

    Parameters
    ----------
    bins
        B.
    from_logits, ignore_class, axis
        As `Perplexity` has them; the target of a distribution is its most likely class.

    References
    ----------
    Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian
    binning.
    """

    def __init__(
        self,
        bins: int = 15,
        name: str = "calibration_error",
        dtype: Any = None,
        **options: Any,
    ) -> None:
        check_count("bins", bins, 1)
        super().__init__(name, dtype, {"excess": (bins,), "weight": ()}, **options)
        self.options["bins"] = bins

    def added(self, rows: Rows, losses: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """Return Σ w (confidence − right) of each bin, and Σ w."""
        bins, label, p = self.options["bins"], rows.target, ops.cast(rows.x, losses.dtype)
        p = ops.softmax(p, axis=-1) if self.options["from_logits"] else p
        p = p if rows.keep is None else xp.where(rows.keep[..., None], p, 1 / p.shape[-1])
        label = label if len(label.shape) < len(p.shape) else ops.argmax(label, axis=-1)
        right = ops.cast(ops.argmax(p, axis=-1), "int32") == ops.cast(label, "int32")
        confidence = ops.max(p, axis=-1)
        b = ops.minimum(ops.cast(confidence * bins, "int32"), bins - 1)
        excess = times(xp, weight, confidence - ops.cast(right, p.dtype))
        # A row at fault is NaN in its loss, and must not look right here.
        excess = xp.where(ops.isnan(losses), math.nan, excess)
        of_bins = ops.segment_sum(
            ops.reshape(excess, (-1,)), ops.reshape(b, (-1,)), num_segments=bins
        )
        return {"excess": of_bins, "weight": ops.sum(weight)}

    def result(self) -> Tensor:
        """Return the calibration error of all rows so far."""
        weight = self.total("weight")
        return ops.sum(ops.abs(self.total("excess"))) / xp.where(weight == 0, 1.0, weight)
