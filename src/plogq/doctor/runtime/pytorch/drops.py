"""Which modules drop units by a function, whatever their mode."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

FUNCTIONS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout)
CHANCE, TRAINING = 1, 2  # where they take the chance to drop, and whether they are to


class Drops(TorchFunctionMode):
    """Inside of it, the modules are kept that call a dropout function which drops.

    Attributes
    ----------
    found : set of str
        Their classes, as "F.dropout of Net".
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._model = model
        self._inside: list[nn.Module] = []
        self._hooks: list[Any] = []

    def __enter__(self) -> Self:
        """Begin to look."""
        for module in self._model.modules():
            self._hooks += [
                module.register_forward_pre_hook(lambda one, args: self._inside.append(one)),
                module.register_forward_hook(lambda one, args, out: self._leave()),
            ]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        """End to look."""
        super().__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        for each in self._hooks:
            each.remove()

    def _leave(self) -> None:
        self._inside.pop()

    def __torch_function__(
        self, func: Any, types: Iterable[Any], args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function, and keep the module that calls it if it drops in eval mode."""
        named = kwargs or {}
        if func in FUNCTIONS and self._inside and not self._inside[-1].training:
            chance = named.get("p", args[CHANCE] if len(args) > CHANCE else 0.5)
            training = named.get("training", args[TRAINING] if len(args) > TRAINING else True)
            if chance and training:
                kind = type(self._inside[-1]).__name__
                self.found.add(f"F.{func.__name__} of {kind}")
        return func(*args, **named)
