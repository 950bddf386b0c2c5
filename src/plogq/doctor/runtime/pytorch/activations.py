"""Where tanh, sigmoid and ReLU are flat, whichever way a model calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from plogq.doctor.runtime.flat import dead, saturated
from plogq.doctor.runtime.training import Activation

KINDS: dict[Any, str] = {
    function: kind
    for kind in ("tanh", "sigmoid", "relu")
    for name in (kind, f"{kind}_")
    for of in (torch, Tensor, F)
    if (function := getattr(of, name, None)) is not None
}


class ActivationMode(TorchFunctionMode):
    """Inside of it, each activation that a module applies is measured.

    Attributes
    ----------
    inside : list of str
        The paths of the modules that are running, the innermost last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self._found: list[tuple[Activation, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function, and measure what an activation gives."""
        out = func(*args, **(kwargs or {}))
        kind = KINDS.get(func)
        if kind is not None and self.inside and isinstance(out, Tensor) and out.numel():
            self._found.append((_measured(self.inside[-1], kind, out.detach()), out))
        return out

    def shares(self, finals: Sequence[Tensor]) -> Iterator[Activation]:
        """Yield the activations inside the model: those whose output it returns are left out."""
        for activation, out in self._found:
            if not any(out is each for each in finals):
                yield activation


def _measured(name: str, kind: str, out: Tensor) -> Activation:
    if kind == "relu":
        shares = [(float(share), units) for share, units in dead(out)]
        return Activation(name, kind, 0.0, *min(shares))  # the axis with fewer such units counts
    return Activation(name, kind, float(saturated(kind, out)), 0.0, out.shape[-1])
