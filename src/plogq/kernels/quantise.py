"""Distributions as the integers that a range coder needs: native/quantise.hpp."""

from plogq.kernels._native import quantise

__all__ = ["quantise"]
