"""plogq: cross-entropy, exact, fast, explained and shown.

    >>> import plogq
    >>> p, q = [0.6, 0.3, 0.1], [0.33, 0.33, 0.34]
    >>> round(float(plogq.cross_entropy(p, q, unit="bit")), 4)
    1.5952

`import plogq` gives the measures and the reference losses, on NumPy and nothing heavier. Everything
else is a package of its own, which loads with its first use:

    >>> y_true, probs = [0, 1], [[0.5, 0.5], [0.25, 0.75]]
    >>> round(plogq.score.score(y_true, probs).cross_entropy, 4)
    0.7075

- `plogq.score.score`: what a model's cross-entropy is made of;
- `plogq.compare.compare`: which of two models costs less, and where;
- `plogq.lm.score_tokens`: what a language model pays for a text;
- `plogq.doctor.check`: the mistakes in what a loss is given;
- `plogq.codes`: codes of symbols, and models as coders;
- `plogq.numpy`, `plogq.torch`, `plogq.jax`: the losses, fast, on arrays and tensors;
- `plogq.explore`: the explorer's pages in a notebook.
"""

from importlib import import_module
from types import ModuleType

from plogq import formulas
from plogq.formulas import *  # noqa: F403  (its __all__ is the list of public names)

__version__ = "0.1.0"

__all__ = [*formulas.__all__, "__version__"]

PACKAGES = ("codes", "compare", "doctor", "explore", "jax", "lm", "numpy", "score", "torch")


def __getattr__(name: str) -> ModuleType:
    if name in PACKAGES:
        return import_module(f"plogq.{name}")
    raise AttributeError(f"module 'plogq' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *PACKAGES})
