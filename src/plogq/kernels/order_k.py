"""Codes of bytes that are predicted from the bytes before them: native/order_k.hpp."""

from plogq.kernels._native import OrderDecoder, OrderEncoder

__all__ = ["OrderDecoder", "OrderEncoder"]
