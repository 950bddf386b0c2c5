"""Two models or more on the same rows or documents: which costs less, by how much, and where."""

from plogq.extras import needed_by

with needed_by("plogq.compare"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.compare.compare import compare
from plogq.compare.many_result import ManyComparison
from plogq.compare.result import Comparison
from plogq.compare.validate import Validation, validate

__all__ = ["Comparison", "ManyComparison", "Validation", "compare", "validate"]
