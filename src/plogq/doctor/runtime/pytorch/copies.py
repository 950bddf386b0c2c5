"""A copy of a model and its loss."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from plogq.doctor.runtime.pytorch.functions import copied_function
from plogq.doctor.runtime.pytorch.tensors import tensors_in

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
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
        for value in tensors_in(vars(module)):  # also in buffers, lists and mappings
            if not value.is_leaf:
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
    """Return a copy of a loss, without its hooks; of a function, one that writes into copies.

    Parameters
    ----------
    loss
        A module, a function, or anything that can be called.
    memo
        What was copied before, by `copy.deepcopy`'s own numbers.
    """
    memo = {} if memo is None else memo
    if inspect.isfunction(loss):
        return copied_function(loss, memo, copied_loss)
    if isinstance(loss, functools.partial):
        given = copy.deepcopy((loss.args, loss.keywords), memo)
        return functools.partial(copied_loss(loss.func, memo), *given[0], **given[1])
    twin = copy.deepcopy(loss, memo)
    if isinstance(twin, nn.Module):
        _strip(twin)
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
