"""The native rows as a call that XLA makes on a CPU: native/bind_jax.cpp."""

from plogq.kernels._native import xla_rows

__all__ = ["xla_rows"]
