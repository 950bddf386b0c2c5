"""How a compiled program calls the native rows: by XLA itself, on memory that is XLA's."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path
from typing import Any

import jax
from jax.extend.mlir import ir
from jax.interpreters import mlir

from plogq.kernels.xla_rows import xla_rows

NAME = "plogq_rows"


def register(operation: Any, lowering: Any) -> str:
    """Register the kernel, and how an operation is lowered to it; return why not, or "".

    XLA takes a call of its own version or of an earlier one. After one of a later version it has no
    CPU any more.
    """
    if (built := xla_rows()) is None:
        return "XLA's headers were not there when plogq was built"
    handler, *version = built
    header = Path(jax.ffi.include_dir(), "xla/ffi/api/c_api.h")
    text = header.read_text() if header.exists() else ""
    known = [int(n) for n in re.findall(r"#define XLA_FFI_API_M(?:AJOR|INOR) (\d+)", text)]
    if known[:1] != version[:1] or known < version:
        return f"plogq was built for another XLA (its calls are {version}, here {known})"
    jax.ffi.register_ffi_target(NAME, handler, platform="cpu")
    # A lowering that is kept, as newer versions do, does not see where the logits come from.
    has_cache = "cacheable" in signature(mlir.register_lowering).parameters
    options: dict[str, Any] = {"cacheable": False} if has_cache else {}
    mlir.register_lowering(operation, lowering, **options)
    return ""


def lower_to_kernel(ctx: Any, *arrays: Any, in_place: bool, **options: Any) -> Any:
    """Return the results of the call, the second of them in place of the logits if that is cheap.

    XLA copies logits that are needed later.
    """
    aliases = {0: 1} if in_place and not _is_lent(arrays[0]) else {}
    return jax.ffi.ffi_lowering(NAME, operand_output_aliases=aliases)(ctx, *arrays, **options)


def _is_lent(x: Any) -> bool:
    """Tell whether logits are an argument of the program that its caller does not donate.

    XLA would copy them before a call in place, and a call into new memory is faster.
    """
    while not isinstance(x.owner, ir.Block):
        if x.owner.name != "stablehlo.reshape":
            return False
        x = x.owner.operands[0]
    function: Any = x.owner.owner.opview
    if function.name.value != "main":
        return False
    attributes = function.arg_attrs[ir.BlockArgument(x).arg_number]
    return not any(name in attributes for name in ("tf.aliasing_output", "jax.buffer_donor"))
