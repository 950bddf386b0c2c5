"""What torch keeps private and a door must know: every such name is in this file.

Each says what it stands for; where a torch has another name for it, this is the place to change.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch._C import _are_functorch_transforms_active, _len_torch_dispatch_stack
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad
from torch.compiler import is_compiling
from torch.nn import _reduction

_KEYS, _KEY = torch._C.DispatchKeySet, torch._C.DispatchKey
_AUTOGRAD = _KEYS(_KEY.AutogradOther) | _KEYS(_KEY.AutogradCPU) | _KEYS(_KEY.ADInplaceOrView)
_TRACING = torch._C._TorchDispatchModeKey.PROXY

legacy_reduction = (
    _reduction.legacy_get_string
)  # of size_average and reduce, which torch deprecated


def surely(condition: Any) -> bool:
    """Return a condition of sizes; in a graph, false where it needs a value not known yet."""
    if isinstance(condition, bool) and not is_compiling():  # a compiler shows its own as a bool
        return condition
    from torch.fx.experimental import symbolic_shapes  # imports sympy: as long as all of torch

    found: bool = getattr(symbolic_shapes, "guard_or_false", bool)(condition)
    return found


def in_transform() -> bool:
    """Tell whether a torch.func transform or forward-mode differentiation is under way."""
    return (
        torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0
    )


def is_undisturbed() -> bool:
    """Tell whether no compiler, transform or mode comes between a call and its memory."""
    return not (
        is_compiling()
        or _are_functorch_transforms_active()
        or _len_torch_dispatch_stack()
        or forward_ad._current_level >= 0
    )


def apply_of(function: type[torch.autograd.Function]) -> Callable[..., Any]:
    """Return the `apply` of a function that no transform will see, which is 2 µs shorter."""
    apply: Callable[..., Any] = super(torch.autograd.Function, function).apply  # type: ignore[misc]
    return apply


def above_autograd() -> AbstractContextManager[Any]:
    """Return a context in which autograd records, though an operator runs below it."""
    include, exclude = (
        torch._C._dispatch_tls_local_include_set(),
        torch._C._dispatch_tls_local_exclude_set(),
    )
    include, exclude = include | _KEYS(_KEY.ADInplaceOrView), exclude - _AUTOGRAD
    guard: AbstractContextManager[Any] = torch._C._ForceDispatchKeyGuard(include, exclude)
    return guard


def in_dispatch_mode() -> bool:
    """Tell whether a mode sees every operation: a tracer, fake tensors, a profiler of calls."""
    return bool(_len_torch_dispatch_stack())


def is_traced() -> bool:
    """Tell whether `make_fx` is writing a graph."""
    return torch._C._get_dispatch_mode(_TRACING) is not None


def is_fake(x: Tensor) -> bool:
    """Tell a tensor without values."""
    return x.device.type == "meta" or isinstance(x, FakeTensor)


def is_transformed(upstream: Tensor) -> bool:
    """Tell an upstream whose number cannot be read: it stands for many, or a transform follows."""
    batched: bool = torch._C._functorch.is_legacy_batchedtensor(upstream)
    return batched or in_transform()


def base_of(x: Tensor) -> Tensor:
    """Return the tensor that x is a view of, or x."""
    base: Tensor | None = x._base
    return x if base is None else base


def in_compiled_transform() -> bool:
    """Tell what `in_transform` tells, of code that torch.compile follows."""
    return bool(_are_functorch_transforms_active()) or forward_ad._current_level >= 0
