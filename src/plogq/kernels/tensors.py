"""A reduced loss of plain tensors in one native call: native/bind_tensors.cpp."""

from plogq.kernels._native import reduced_loss, use_tensors_of

__all__ = ["reduced_loss", "use_tensors_of"]
