"""What a model's cross-entropy is made of, from a table of its predictions.

Readers give record batches, each batch gives the figures of its rows, a state that can be merged
sums them, and a summary turns the state into a plain `Result`.
"""

from plogq.extras import needed_by

with needed_by("plogq.score"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.errors import TableError
from plogq.score.label_noise.find import label_errors
from plogq.score.label_noise.result import LabelErrors
from plogq.score.recalibrate import Promise, Recalibration
from plogq.score.result import Result
from plogq.score.score import score

__all__ = [
    "LabelErrors",
    "Promise",
    "Recalibration",
    "Result",
    "TableError",
    "label_errors",
    "score",
]
