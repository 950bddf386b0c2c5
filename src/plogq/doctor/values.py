"""Outputs and targets of one batch, looked at by the checks of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from plogq.doctor.check import VALUES, chosen
from plogq.doctor.finding import Diagnosis
from plogq.doctor.losses import Loss, framework_with, function_of, loss_of
from plogq.doctor.readings import (
    Array,
    are_distributions,
    are_hot,
    are_log_probabilities,
    entropy,
    log_softmax,
    standard_error,
)
from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

# Checks compute in float64, on at most so many outputs (64 MB); of more, on a sample of rows.
MOST_OUTPUTS = 1 << 23
FRAMEWORK_OF = {"torch": "torch", "jax": "jax", "jaxlib": "jax", "tensorflow": "keras"}
ARRAYS = ("weight", "mask", "where")  # options that are arrays
IGNORED = -100  # what torch and plogq leave out unless another class is named


class Scored(NamedTuple):
    """Rows whose class is known, and what the model says of them.

    `log_q` (R, C) are log-probabilities, `truth` (R,) the classes, `row` (R,) the rows' numbers.
    """

    log_q: Array
    truth: Array
    row: Array

    @property
    def losses(self) -> Array:
        """The cross-entropy of each row, in nats."""
        found: Array = -np.take_along_axis(self.log_q, self.truth[:, None], axis=1)[:, 0]
        return found

    @property
    def base_rate_entropy(self) -> float:
        """The loss of a model that gives each class its share of the rows, in nats."""
        counts = np.bincount(self.truth, minlength=self.log_q.shape[1])
        return float(entropy(counts / counts.sum()))

    @property
    def standard_error(self) -> float:
        """The standard error of the mean loss."""
        return standard_error(self.losses)


@dataclass(frozen=True)
class Values:
    """What a loss is given.

    Attributes
    ----------
    outputs, target
        As they came, as arrays of NumPy.
    loss
        What the loss takes.
    name, framework
        The loss's name, and whose it is.
    options
        The loss's own keywords: ignore_index, label_smoothing, reduction, eps, ….
    dtype, target_dtype
        Of the outputs and the target before they became NumPy's, such as "bfloat16".
    at_start
        Whether the model has not been trained yet.
    doubts
        What the reader of a table asks about its columns, as sentences.
    refused
        Why a score refuses the table, in a sentence; empty if it does not.
    made_by
        The activation that made the outputs, where that is known: "sigmoid" or "softmax".
    """

    outputs: Array
    target: Array
    loss: Loss
    name: str
    framework: str
    options: Mapping[str, Any]
    dtype: str
    target_dtype: str
    at_start: bool = False
    doubts: tuple[str, ...] = ()
    refused: str = ""
    made_by: str = ""

    @cached_property
    def axis(self) -> int:
        """The axis of the classes, from 0."""
        axes: int = self.outputs.ndim
        if self.framework == "torch" and self.loss.of == "softmax":
            return min(1, axes - 1)
        axis = int(self.options.get("axis", -1))
        return axis % axes

    def _classes_last(self, x: Array) -> Array:
        """Return an array of the outputs' shape with the classes last."""
        if x.ndim == 1 and self.loss.of in ("sigmoid", "numbers"):
            return x[:, None]
        return np.moveaxis(x, self.axis, -1)

    @cached_property
    def classes(self) -> int:
        """How many outputs belong to a row."""
        classes: int = self._classes_last(self.outputs).shape[-1]
        return classes

    @cached_property
    def rows_in_all(self) -> int:
        """How many rows the outputs have."""
        return self.outputs.size // self.classes if self.classes else 0

    @cached_property
    def row(self) -> Array:
        """Numbers (R,) of the rows that are looked at: all, or a sample; none that is not finite.

        A −inf stays: it is a masked class.
        """
        most = max(1, MOST_OUTPUTS // max(1, self.classes))
        row = np.arange(self.rows_in_all)
        if len(row) > most:
            row = np.sort(np.random.default_rng(0).choice(len(row), most, replace=False))
        x = self._rows_of(self._classes_last(self.outputs), row)
        return row[~(np.isnan(x) | np.isposinf(x)).any(axis=-1)]

    @staticmethod
    def _rows_of(x: Array, row: Array) -> Array:
        """Return rows (R, C) of an array with the classes last, without a copy of all of it."""
        found: Array = x[np.unravel_index(row, x.shape[:-1])] if x.ndim > 1 else x[None][row]
        return found

    @cached_property
    def rows(self) -> Array:
        """The outputs (R, C) of the rows looked at, in float64."""
        found: Array = self._rows_of(self._classes_last(self.outputs), self.row).astype(np.float64)
        return found

    @cached_property
    def distributions(self) -> Array | None:
        """Targets (R, C) of the rows looked at, in float64; None where they have another shape."""
        if self.target.shape != self.outputs.shape:
            same = self.loss.of in ("sigmoid", "numbers") and self.framework == "keras"
            if not (same and self.target.size == self.outputs.size and self.classes == 1):
                return None
        target = self._classes_last(self.target.reshape(self.outputs.shape))
        found: Array = self._rows_of(target, self.row).astype(np.float64)
        return found

    @cached_property
    def labels(self) -> Array | None:
        """Class indices (R,) of the rows looked at; None where the target is something else."""
        if self.loss.of != "softmax" or self.loss.targets == "distributions":
            return None
        shape = self._classes_last(self.outputs).shape[:-1]
        keras = self.framework == "keras"
        if self.target.shape != shape and not (keras and self.target.shape == (*shape, 1)):
            return None
        whole = self.target.dtype.kind in "iu" or (
            keras and self.target.dtype.kind == "f" and bool((self.target % 1 == 0).all())
        )
        return self.target.reshape(-1)[self.row].astype(np.int64) if whole else None

    @cached_property
    def ignored(self) -> int | None:
        """The class whose rows are left out; None for none."""
        if "ignore_class" in self.options:
            return _whole("ignore_class", self.options["ignore_class"])
        default = IGNORED if self.framework in ("torch", "numpy") else None
        return _whole("ignore_index", self.options.get("ignore_index", default))

    @cached_property
    def are_probabilities(self) -> bool:
        """Whether each row is a distribution."""
        return are_distributions(self.rows, self.dtype)

    @cached_property
    def are_log_probabilities(self) -> bool:
        """Whether each row holds the logarithms of a distribution."""
        return are_log_probabilities(self.rows, self.dtype)

    @cached_property
    def normalised_elsewhere(self) -> int | None:
        """The axis over which the outputs sum to 1 (or their exponentials), if not the classes'."""
        x = self.outputs
        if self.are_probabilities or self.are_log_probabilities or x.size > MOST_OUTPUTS:
            return None
        for axis in range(x.ndim):
            if axis != self.axis and x.ndim > 1:
                rows = np.moveaxis(x, axis, -1).astype(np.float64)
                if are_distributions(rows, self.dtype) or are_log_probabilities(rows, self.dtype):
                    return axis
        return None

    @cached_property
    @np.errstate(divide="ignore")  # the log of 0 is −inf
    def log_q(self) -> Array | None:
        """Log-probabilities (R, C) by what the loss takes; None where the rows are none of that.

        A lone sigmoid has two columns: class 0 and class 1.
        """
        x, takes = self.rows, self.loss.takes
        if self.loss.of == "softmax" and self.classes > 1:
            if takes == "logits":
                return None if self.are_probabilities else log_softmax(x)
            if takes == "probabilities":
                return np.log(x) if self.are_probabilities else None
            return x if self.are_log_probabilities else None
        if self.loss.of == "sigmoid" and self.classes == 1 and len(x):
            if takes == "logits":
                return log_softmax(np.concatenate([np.zeros_like(x), x], axis=1))
            if x.min() >= 0 and x.max() <= 1:
                return np.concatenate([np.log1p(-x), np.log(x)], axis=1)
        return None

    @cached_property
    def truth(self) -> Array:
        """The class (R,) of each row looked at; −1 where it has none, several, or is left out."""
        truth, t = self.labels, self.distributions
        classes = 2 if self.classes == 1 and self.loss.of == "sigmoid" else self.classes
        if truth is None:
            if t is None or not are_hot(t):
                return np.full(len(self.rows), -1)
            truth = t[:, 0] if self.classes == 1 else np.where(t.sum(1) == 1, t.argmax(1), -1)
            truth = truth.astype(np.int64)
        known = (truth >= 0) & (truth < classes) & (truth != self.ignored)
        found: Array = np.where(known, truth, -1)
        return found

    def read_as(self, log_q: Array | None) -> Scored | None:
        """Return the rows that have one class each, if log_q were what the model says of them."""
        known = self.truth >= 0
        if log_q is None or not known.any():
            return None
        return Scored(log_q[known], self.truth[known], self.row[known])

    @cached_property
    def scored(self) -> Scored | None:
        """The rows that have one class each, and what the model says of them; None without any."""
        return self.read_as(self.log_q)

    def first(self, of_rows: Array) -> int:
        """Return the number of the first row, of those looked at, for which it is true."""
        return int(self.row[np.argmax(of_rows)])


def check(
    outputs: Any,
    target: Any,
    loss: str = "cross_entropy",
    framework: str | None = None,
    *,
    at_start: bool = False,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    **options: Any,
) -> Diagnosis:
    """Return what is wrong with what a loss is given.

    Parameters
    ----------
    outputs, target
        What goes into the loss, as arrays or tensors of any framework, or lists of numbers.
    loss, framework
        The name of the loss, a function or a class, as the framework ("torch", "keras", "jax",
        "numpy") has it. Without a framework, it is that of the outputs if it has such a loss, or
        else one that has.
    at_start
        Whether the model has not been trained yet: its loss is then compared with ln C.
    select, ignore
        Codes of checks, or how codes begin.
    **options
        The loss's own keywords, such as `ignore_index`, `label_smoothing`, `from_logits`,
        `reduction` and `eps`.

    Raises
    ------
    TypeError, ValueError
        What is given is no array of numbers, or the loss or an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> [finding.code for finding in check(probabilities, [0, 1, 0]).findings]
    ['PQ101']
    """
    return look(
        values_of(outputs, target, loss, framework, at_start=at_start, **options), select, ignore
    )


def values_of(
    outputs: Any, target: Any, loss: str, framework: str | None, *, at_start: bool, **options: Any
) -> Values:
    """Return what a loss is given, as `check` takes it.

    Raises
    ------
    TypeError, ValueError
        As `check` does.
    """
    if not isinstance(loss, str):
        refuse("loss", "be the name of a loss", repr(loss), error=TypeError)
    loss = function_of(loss)
    if framework is None:
        first = FRAMEWORK_OF.get(type(outputs).__module__.partition(".")[0], "numpy")
        framework = framework_with(loss, first)
    x, y = _numbers("outputs", outputs), _numbers("target", target)
    if x.ndim == 0 or x.size == 0:
        refuse("outputs", "hold a number or more along an axis", f"shape {x.shape}")
    takes = loss_of(framework, loss, options.get("from_logits"))
    if loss == "log_loss" and (x.ndim == 1 or x.shape[1:] == (1,)):
        takes = replace(takes, of="sigmoid")  # scikit-learn's lone column is that of class 1
    return Values(
        x, y, takes, loss, framework,
        _checked(options, x.ndim), _dtype(outputs, x), _dtype(target, y), at_start,
    )  # fmt: skip


def look(
    values: Values, select: Sequence[str] | None = None, ignore: Sequence[str] | None = None
) -> Diagnosis:
    """Return what the checks of values find."""
    looking, not_run = chosen(VALUES, select, ignore)
    with np.errstate(all="ignore"):
        findings = [finding for each in looking for finding in each.findings(values)]
        some = min(values.rows_in_all, max(1, MOST_OUTPUTS // max(1, values.classes)))
    seen = (
        f"outputs {values.outputs.shape} {values.dtype} and target {values.target.shape} "
        f"{values.target_dtype}, under {values.name} of {values.framework}"
    )
    if some < values.rows_in_all:
        seen += f"; distributions and losses on a random {some:,} of {values.rows_in_all:,} rows"
    return Diagnosis(seen, tuple(each.code for each in looking), tuple(findings), not_run)


def _numbers(name: str, given: Any) -> Array:
    """Return an array or a tensor of any framework as NumPy's."""
    found = to_numpy(name, given)
    if found.dtype.kind == "V" and found.dtype.names is None:  # JAX's bfloat16, for one
        try:
            found = found.astype(np.float32)
        except (TypeError, ValueError):
            refuse(name, "be an array of numbers", str(found.dtype), error=TypeError)
    if found.dtype.kind not in "biuf":
        refuse(name, "be an array of numbers", f"{type(given).__name__} of {found.dtype}",
               error=TypeError)  # fmt: skip
    return found.astype(np.int64) if found.dtype.kind == "b" else found


def _dtype(given: Any, as_numpy: Array) -> str:
    """Return the name of the type of numbers that an array or tensor came in."""
    dtype = getattr(given, "dtype", as_numpy.dtype)
    return str(getattr(dtype, "name", dtype)).removeprefix("torch.")


def _checked(options: Mapping[str, Any], axes: int) -> Mapping[str, Any]:
    """Return the options; refuse what is no option of a loss."""
    _whole("ignore_index", options.get("ignore_index"))
    _whole("ignore_class", options.get("ignore_class"))
    for name, most in (("label_smoothing", 1.0), ("eps", 0.5)):
        value = options.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            refuse(name, f"be a number from 0 to {most:g}", repr(value))
    axis = _whole("axis", options.get("axis"))
    if axis is not None and not -axes <= axis < axes:
        refuse("axis", f"be one of the {axes} axes of outputs", axis)
    given = {name: value for name, value in options.items() if value is not None}
    return given | {name: _numbers(name, given[name]) for name in ARRAYS if name in given}


def _whole(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        refuse(name, "be an integer", repr(value), error=TypeError)
    return int(value)
