"""Bytes coded by those before them: native/order_k.hpp."""

from plogq.kernels._native import OrderDecoder, OrderEncoder

__all__ = ["OrderDecoder", "OrderEncoder"]
