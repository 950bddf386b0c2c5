"""Two models on the same rows or documents: which costs less, by how much, and where."""

from plogq.compare.compare import compare
from plogq.compare.result import Comparison

__all__ = ["Comparison", "compare"]
