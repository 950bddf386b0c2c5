"""plogq: cross-entropy, exact, fast, explained and shown.

    >>> import plogq
    >>> p, q = [0.6, 0.3, 0.1], [0.33, 0.33, 0.34]
    >>> round(float(plogq.cross_entropy(p, q, unit="bit")), 4)
    1.5952

`import plogq` gives the measures and the reference losses, on NumPy and nothing heavier. A
framework loads only with its own front door: `plogq.numpy` for arrays, with the native row kernel.
`plogq.score` says what a model's cross-entropy is made of.
"""

from plogq import formulas
from plogq.formulas import *  # noqa: F403  (its __all__ is the list of public names)

__version__ = "0.1.0"

__all__ = [*formulas.__all__, "__version__"]
