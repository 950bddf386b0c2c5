"""What a look must leave alone around a training: random numbers, and hooks of all modules."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as of_modules

GENERATORS = (
    torch.Generator, np.random.Generator, np.random.BitGenerator, np.random.RandomState,
    random.Random,
)  # fmt: skip
# Where torch keeps the hooks that see every module, which copies are not to call.
HOOKS_OF_ALL = (
    "_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks",
    "_global_backward_pre_hooks",
)  # fmt: skip


def generators(model: nn.Module, loss: Any) -> list[Any]:
    """Return the random generators that a model or a loss names, beside those of the libraries.

    They are among the globals of the functions, in what the functions enclose, or parts of these.
    """
    found: dict[int, Any] = {}
    spaces: dict[int, Iterable[Any]] = {}
    classes = {cls for module in model.modules() for cls in type(module).__mro__}
    for function in (*_methods(classes), *_functions(loss)):
        spaces[id(function.__globals__)] = function.__globals__.values()
        spaces[id(function)] = [_content(cell) for cell in function.__closure__ or ()]
    for values in spaces.values():
        for value in list(values):
            for each in (value, *_parts(value)):
                if isinstance(each, GENERATORS) and not isinstance(each, random.SystemRandom):
                    found[id(each)] = each
    return list(found.values())


def _methods(classes: Iterable[type]) -> Iterator[FunctionType]:
    for cls in classes:
        if not cls.__module__.startswith(("torch.", "builtins")):
            yield from (each for each in vars(cls).values() if isinstance(each, FunctionType))


def _functions(loss: Any) -> Iterator[FunctionType]:
    """Yield the functions of which a loss is made."""
    while isinstance(loss, functools.partial):
        loss = loss.func
    if isinstance(loss, MethodType):
        loss = loss.__func__
    if isinstance(loss, FunctionType):
        yield loss
    elif loss is not None:
        yield from _methods(type(loss).__mro__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        return value[:100]
    parts = value if type(value) is dict else getattr(value, "__dict__", None)
    return list(parts.values()) if isinstance(parts, dict) else ()


def _restorer(generator: Any) -> Callable[[], Any]:
    """Return what puts a generator back to where it is now."""
    if isinstance(generator, torch.Generator):
        return functools.partial(generator.set_state, generator.get_state())
    if isinstance(generator, np.random.RandomState):
        return functools.partial(generator.set_state, generator.get_state())
    if isinstance(generator, random.Random):
        return functools.partial(generator.setstate, generator.getstate())
    bits = generator if isinstance(generator, np.random.BitGenerator) else generator.bit_generator
    return functools.partial(setattr, bits, "state", bits.state)


@dataclass(frozen=True)
class RandomState:
    """Where the generators of torch, of a device, of NumPy, of Python and of a model's own are."""

    cpu: torch.Tensor
    device: torch.device
    on_device: torch.Tensor | None
    numpy: Any
    python: Any
    own: tuple[Callable[[], Any], ...] = ()

    @classmethod
    def now(cls, device: torch.device, own: Iterable[Any] = ()) -> RandomState:
        """Return the state of this moment, with that of generators beside those of libraries."""
        on_device = None
        if device.type != "cpu":
            on_device = torch.get_device_module(device).get_rng_state(device)
        numpy = np.random.get_state()  # noqa: NPY002 (what a model may use)
        return cls(torch.get_rng_state(), device, on_device, numpy, random.getstate(),
                   tuple(map(_restorer, own)))  # fmt: skip

    def restore(self) -> None:
        """Put the generators back."""
        torch.set_rng_state(self.cpu)
        if self.on_device is not None:
            torch.get_device_module(self.device).set_rng_state(self.on_device, self.device)
        np.random.set_state(self.numpy)  # noqa: NPY002
        random.setstate(self.python)
        for restore in self.own:
            restore()


@contextmanager
def unseen(device: torch.device, own: Iterable[Any] = ()) -> Iterator[None]:
    """Leave the random generators as they were, and call no hook that sees every module.

    This holds also after an exception.
    """
    before = RandomState.now(device, own)
    hooks = [getattr(of_modules, name) for name in HOOKS_OF_ALL]
    kept = [dict(each) for each in hooks]
    for each in hooks:
        each.clear()
    try:
        yield
    finally:
        for each, those in zip(hooks, kept, strict=True):
            each.update(those)
        before.restore()
