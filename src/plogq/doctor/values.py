"""Outputs and targets of one batch, looked at by the checks of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.doctor.check import VALUES, chosen
from plogq.doctor.finding import Diagnosis
from plogq.doctor.losses import Loss, loss_of
from plogq.errors import refuse

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Values:
    """What a loss is given.

    Attributes
    ----------
    outputs
        Of the model, in float64.
    target
        As it came.
    loss
        What the loss takes.
    name, framework
        The loss's name, and whose it is.
    options
        The loss's own keywords: ignore_index, label_smoothing, reduction, eps, ….
    dtype
        Of the outputs as they came.
    """

    outputs: Array
    target: Array
    loss: Loss
    name: str
    framework: str
    options: Mapping[str, Any]
    dtype: str

    @cached_property
    def row_sums(self) -> Array:
        """The sum of each row of outputs."""
        found: Array = self.outputs.sum(axis=-1)
        return found


def check(
    outputs: Any,
    target: Any,
    loss: str = "cross_entropy",
    framework: str = "torch",
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    **options: Any,
) -> Diagnosis:
    """Return what is wrong with what a loss is given.

    Parameters
    ----------
    outputs, target
        What goes into the loss, as arrays or tensors of any framework.
    loss, framework
        The name of the loss, as the framework ("torch", "keras", "jax", "numpy") has it.
    select, ignore
        Codes of checks, or how codes begin.
    **options
        The loss's own keywords, such as `ignore_index`, `label_smoothing` and `from_logits`.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> [finding.code for finding in check(probabilities, [0, 1, 0]).findings]
    ['PQ101']
    """
    x, y = _array("outputs", outputs), _array("target", target)
    given = Values(
        x.astype(np.float64), y, loss_of(framework, loss, options.get("from_logits")), loss,
        framework, options, str(x.dtype),
    )  # fmt: skip
    looking, not_run = chosen(VALUES, select, ignore)
    findings = [finding for each in looking for finding in each.findings(given)]
    seen = (
        f"outputs {x.shape} {x.dtype} and target {y.shape} {y.dtype}, under {loss} of {framework}"
    )
    return Diagnosis(seen, tuple(each.code for each in looking), tuple(findings), not_run)


def _array(name: str, given: Any) -> Array:
    """Return an array or a tensor of any framework as NumPy's."""
    found = np.asarray(given)
    if found.dtype == object:
        refuse(name, "be an array of numbers", type(given).__name__, error=TypeError)
    return found
