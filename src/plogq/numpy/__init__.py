"""The NumPy front door: losses of a batch of logits, with their gradients, reduced.

The losses share their conventions. A mean is Σ w·loss / Σ w over the rows that are not left out, or
Σ w·loss / `denominator`, so that the parts of a batch can add up to the whole. A batch with no row
left has loss 0 and gradient 0. `explain(cross_entropy, …)` says which engine answers a call, and
`engine("formula")` forces one.
"""

from plogq.kernels.question import Statistics
from plogq.kernels.rows import RowStatistics, row_statistics
from plogq.numpy._engines import ENGINES
from plogq.numpy.binary_losses import (
    asymmetric_loss,
    binary_cross_entropy_with_logits,
    binary_focal_loss,
)
from plogq.numpy.softmax_losses import cross_entropy, squared_error
from plogq.numpy.surprisal_losses import generalised_cross_entropy, poly_loss

explain, engine = ENGINES.explain, ENGINES.only

__all__ = [
    "RowStatistics",
    "Statistics",
    "asymmetric_loss",
    "binary_cross_entropy_with_logits",
    "binary_focal_loss",
    "cross_entropy",
    "engine",
    "explain",
    "generalised_cross_entropy",
    "poly_loss",
    "row_statistics",
    "squared_error",
]
