"""A call between the graphs of torch.compile. Imported only while a graph is made.

The decorator imports torch's compiler, which takes longer than all of torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def _outside(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def _disabled() -> Any:
    reason = "the ranks exchange their sums between the graphs, and each checks the others'"
    disable: Any = torch.compiler.disable
    try:
        return disable(_outside, reason=reason)
    except TypeError:  # an older torch takes no reason
        return disable(_outside)


call_outside = _disabled()
