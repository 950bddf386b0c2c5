"""Distributions as integers, as a range coder holds them: native/quantise.hpp."""

from plogq.kernels._native import quantise

__all__ = ["quantise"]
