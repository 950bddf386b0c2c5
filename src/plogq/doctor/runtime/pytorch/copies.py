"""A copy of a model and its loss, and the state of everything that a look must leave alone."""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
DEPTH = 2  # of functions that a loss function calls, in which modules are looked for
# What is asked of a module's hooks: those of torch itself compute weights, such as weight_norm's.
OWN_HOOKS = "torch."


class Hook:
    """A hook of ours; in a copy of the module it does nothing."""

    def __init__(self, function: Callable[..., None]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> None:
        """Call the function, unless torch compiles: then nothing is traced."""
        if not torch.compiler.is_compiling():
            self._function(*args)

    def __deepcopy__(self, memo: dict[int, Any]) -> Callable[..., None]:
        """Return what does nothing."""
        return _nothing


def _nothing(*args: Any) -> None:
    return None


@dataclass(frozen=True)
class RandomState:
    """Where the generators of torch, of a device, of NumPy and of Python are."""

    cpu: torch.Tensor
    device: torch.device
    on_device: torch.Tensor | None
    numpy: Any
    python: Any

    @classmethod
    def now(cls, device: torch.device) -> RandomState:
        """Return the state of this moment."""
        on_device = None
        if device.type != "cpu":
            on_device = torch.get_device_module(device).get_rng_state(device)
        numpy = np.random.get_state()  # noqa: NPY002 (what a model may use)
        return cls(torch.get_rng_state(), device, on_device, numpy, random.getstate())

    def restore(self) -> None:
        """Put the generators back."""
        torch.set_rng_state(self.cpu)
        if self.on_device is not None:
            torch.get_device_module(self.device).set_rng_state(self.on_device, self.device)
        np.random.set_state(self.numpy)  # noqa: NPY002
        random.setstate(self.python)


@contextmanager
def random_state_kept(device: torch.device) -> Iterator[None]:
    """Leave the random generators as they were, also after an exception."""
    before = RandomState.now(device)
    try:
        yield
    finally:
        before.restore()


def plain(model: nn.Module) -> nn.Module:
    """Return the module inside of what `torch.compile` and data parallelism wrap around it."""
    wrapped = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    inner: Any = model
    while hasattr(inner, "_orig_mod") or isinstance(inner, wrapped):  # torch.compile's, or others
        inner = inner._orig_mod if hasattr(inner, "_orig_mod") else inner.module
    found: nn.Module = inner
    return found


def copied(model: nn.Module, loss: Any) -> tuple[nn.Module, Any]:
    """Return copies of a model and of its loss, with what they share, and without their hooks.

    Tensors that modules keep and that belong to a graph cannot be copied; their values are.

    Raises
    ------
    Exception
        What a module's own copy raises, or that memory is short.
    """
    model = plain(model)
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    twin: nn.Module = copy.deepcopy(model, memo)
    for module in twin.modules():
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value):  # a lambda may hold on to the model's own modules
                setattr(module, name, copied_loss(value, memo))
    _strip(twin)
    for parameter in twin.parameters():
        parameter.grad = None
    return twin, copied_loss(loss, memo)


def copied_loss(loss: Any, memo: dict[int, Any] | None = None) -> Any:
    """Return a copy of a loss, without its hooks; of a function, one that calls copies of models.

    Parameters
    ----------
    loss
        A module, a function, or anything that can be called.
    memo
        What was copied before, by `copy.deepcopy`'s own numbers.
    """
    memo = {} if memo is None else memo
    if inspect.isfunction(loss):
        return _function(loss, memo, DEPTH)
    twin = copy.deepcopy(loss, memo)
    if isinstance(twin, nn.Module):
        _strip(twin)
    return twin


def _function(function: FunctionType, memo: dict[int, Any], depth: int) -> FunctionType:
    """Return a function in which copies stand for the modules that it names, or an object has."""
    used = inspect.getclosurevars(function)

    def twin(value: Any) -> Any:
        if isinstance(value, nn.Module):
            return copied_loss(value, memo)
        if _holds_modules(value):
            return _with_copies(value, memo)
        return _function(value, memo, depth - 1) if inspect.isfunction(value) and depth else value

    named = {name: twin(value) for name, value in used.globals.items()}
    cells = tuple(
        CellType(twin(used.nonlocals[name])) if name in used.nonlocals else cell
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        )
    )
    same = all(named[name] is value for name, value in used.globals.items()) and all(
        new is old or new.cell_contents is old.cell_contents
        for new, old in zip(cells, function.__closure__ or (), strict=True)
    )
    if same:
        return function
    found = FunctionType(function.__code__, {**function.__globals__, **named}, function.__name__,
                         function.__defaults__, cells)  # fmt: skip
    found.__kwdefaults__, found.__module__ = function.__kwdefaults__, function.__module__
    return found


def _holds_modules(value: Any) -> bool:
    """Return whether an object, or a dict, has modules as its parts."""
    parts = value if type(value) is dict else getattr(value, "__dict__", None)
    if not isinstance(parts, dict) or isinstance(value, (ModuleType, type, FunctionType)):
        return False
    return any(isinstance(each, nn.Module) for each in parts.values())


def _with_copies(value: Any, memo: dict[int, Any]) -> Any:
    """Return an object that has copies of modules as its parts, and all others in common."""
    if id(value) in memo:
        return memo[id(value)]
    twin = copy.copy(value)
    memo[id(value)] = twin
    parts = twin if isinstance(twin, dict) else vars(twin)
    for name, each in list(parts.items()):
        if isinstance(each, nn.Module):
            parts[name] = copied_loss(each, memo)
    return twin


def _strip(model: nn.Module) -> None:
    """Remove hooks that are not torch's own: a user's may write into what is not copied."""
    for module in model.modules():
        if hasattr(module, "_compiled_call_impl"):
            module._compiled_call_impl = None  # a copy runs as it is written
        for name in HOOKS:
            hooks = getattr(module, name)
            for key, hook in list(hooks.items()):
                of = getattr(hook, "__module__", None) or type(hook).__module__
                if not of.startswith(OWN_HOOKS):
                    del hooks[key]
