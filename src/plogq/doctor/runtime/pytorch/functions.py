"""A copy of a loss function: what it names and encloses is copied, for it may write into that."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

DEPTH = 2  # of functions that a function calls, and of objects in objects
MOST = 1000  # parts of a list or a dict that are copied themselves
OF_LIBRARIES = ("torch.", "plogq.")  # whose functions keep nothing of a training

Memo = dict[int, Any]
CopyModule = Callable[[nn.Module, Memo], Any]


def copied_function(
    function: FunctionType, memo: Memo, module: CopyModule, depth: int = DEPTH
) -> FunctionType:
    """Return a function that does the same, and writes into copies.

    Parameters
    ----------
    function
        What a loop calls as its loss.
    memo
        What was copied before, by `copy.deepcopy`'s own numbers.
    module
        How a module is copied.
    depth
        How many functions deep.
    """
    if id(function) in memo:
        return memo[id(function)]  # type: ignore[no-any-return]
    if (function.__module__ or "").startswith(OF_LIBRARIES):
        return function
    names = dict(function.__globals__)
    cells = tuple(CellType() for _ in function.__closure__ or ())
    found = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
    memo[id(function)] = found
    found.__kwdefaults__, found.__module__ = function.__kwdefaults__, function.__module__

    def twin(value: Any) -> Any:
        return _copied(value, memo, module, depth)

    for name in set(_names(function.__code__)) & names.keys():
        names[name] = twin(names[name])
    for cell, old in zip(cells, function.__closure__ or (), strict=True):
        try:
            cell.cell_contents = twin(old.cell_contents)
        except ValueError:  # nothing is in it yet
            continue
    found.__defaults__ = twin(function.__defaults__)
    found.__kwdefaults__ = twin(function.__kwdefaults__)
    return found


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function uses, and those inside of it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _copied(value: Any, memo: Memo, module: CopyModule, depth: int) -> Any:
    """Return a copy of what a function may write into; what it cannot change is shared."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, nn.Module):
        return module(value, memo)
    if isinstance(value, FunctionType):
        return copied_function(value, memo, module, depth - 1) if depth else value
    if isinstance(value, torch.Tensor):
        return copy.deepcopy(value, memo) if value.is_leaf else value
    if isinstance(value, np.ndarray):
        return memo.setdefault(id(value), value.copy())
    if type(value) in (list, set, tuple, dict):
        return _container(value, memo, module, depth)
    parts = getattr(value, "__dict__", None)
    if not depth or not isinstance(parts, dict) or isinstance(value, (ModuleType, type)):
        return value
    return _object(value, memo, module, depth)


def _container(value: Any, memo: Memo, module: CopyModule, depth: int) -> Any:
    if len(value) > MOST or not depth:
        return copy.copy(value)
    if type(value) is dict:
        twin: Any = {key: _copied(each, memo, module, depth - 1) for key, each in value.items()}
    else:
        twin = type(value)(_copied(each, memo, module, depth - 1) for each in value)
    return memo.setdefault(id(value), twin)


def _object(value: Any, memo: Memo, module: CopyModule, depth: int) -> Any:
    """Return an object whose parts are copies; one that refuses to be copied is shared."""
    try:
        twin = copy.copy(value)
        parts = vars(twin)
    except Exception:
        return value
    if twin is value or parts is vars(value):
        return value
    memo[id(value)] = twin
    for name, each in list(parts.items()):
        parts[name] = _copied(each, memo, module, depth - 1)
    return twin
