"""A model with its recalibration, which is plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from plogq.errors import refuse
from plogq.formulas.recalibration_core import read_recalibration, recalibrated
from plogq.torch.questions import arithmetic


class Recalibrated(nn.Module):
    """A model of logits, followed by its recalibration.

    It gives the logarithms of the recalibrated probabilities, (…, C): a softmax of them is these
    probabilities, and a cross-entropy takes them as logits, so that whatever follows the model can
    stay as it is. They are float32 where the logits are of half precision. The gradient goes
    through to the model; an isotonic recalibration is a staircase, whose slope is 0.

    Parameters
    ----------
    model
        A module of logits, classes last.
    parameters
        The recalibration: a mapping with "family" and "parameters", such as `json.load` makes of
        what `plogq recalibrate` saves; or a `plogq.score.Recalibration`. The numbers are buffers,
        in double precision where the device has it, whatever `half()` or `to(dtype)` do.

    Examples
    --------
    >>> found = {"family": "temperature", "parameters": {"temperature": 2.0}}
    >>> model = Recalibrated(torch.nn.Identity(), found)
    >>> model(torch.tensor([[4.0, 0.0]])).softmax(-1)
    tensor([[0.8808, 0.1192]])
    """

    def __init__(self, model: nn.Module, parameters: Any) -> None:
        super().__init__()
        self.model = model
        self.family, numbers, self.classes = read_recalibration(parameters)
        self._names = tuple(numbers)
        for name, number in numbers.items():
            self.register_buffer(name, torch.tensor(number, dtype=torch.float64))

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the recalibrated log-probabilities of what the model is given, (…, C)."""
        x: Tensor = self.model(*args, **kwargs)
        if self.classes not in (None, x.shape[-1]):
            expected = f"have the {self.classes} classes of the recalibration on its last axis"
            refuse("the model's output", expected, f"shape {tuple(x.shape)}")
        x = x.to(arithmetic(x, "the model's output"))
        # The second step of a curve may begin at the lowest finite number of double precision.
        lowest = torch.finfo(x.dtype).min
        numbers = {name: getattr(self, name).clamp(min=lowest).to(x.dtype) for name in self._names}
        found: Tensor = recalibrated(torch, x, self.family, numbers)
        return found

    def extra_repr(self) -> str:
        """Return the family, as the module is printed."""
        return f"family={self.family!r}"

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Move the module; the numbers of the recalibration keep their precision."""
        kept = {name: getattr(self, name) for name in self._names}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, number in kept.items():
            device = getattr(self, name).device
            dtype = torch.float32 if device.type == "mps" else torch.float64
            setattr(self, name, number.to(device, dtype))
        return self
