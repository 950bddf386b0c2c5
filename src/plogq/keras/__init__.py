"""The Keras 3 front door: replace `keras.losses.X` by `plogq.keras.X`.

The losses and functions named as in `keras.losses` have Keras's signatures; what we add is
keyword-only, and where we differ a docstring says "Differs from Keras". They run on the backends
tensorflow, jax and torch: on the last two by the engines of `plogq.jax` and `plogq.torch`, which
`plogq.torch.explain` and `plogq.jax.explain` name.
"""

from plogq.extras import needed_by

with needed_by("plogq.keras"):
    import keras as _keras  # noqa: F401

from plogq.keras.binary_losses import binary_crossentropy, binary_focal_crossentropy
from plogq.keras.divergences import kl_divergence
from plogq.keras.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    Distillation,
    KLDivergence,
    Loss,
    SparseCategoricalCrossentropy,
    SparseCategoricalFocalCrossentropy,
)
from plogq.keras.metrics import BitsPerLabel, CalibrationError, InformationGain, Perplexity
from plogq.keras.recalibrate import Recalibrate
from plogq.keras.softmax_losses import (
    categorical_crossentropy,
    categorical_focal_crossentropy,
    distillation,
    sparse_categorical_crossentropy,
    sparse_categorical_focal_crossentropy,
)

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "BitsPerLabel",
    "CalibrationError",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "Distillation",
    "InformationGain",
    "KLDivergence",
    "Loss",
    "Perplexity",
    "Recalibrate",
    "SparseCategoricalCrossentropy",
    "SparseCategoricalFocalCrossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "distillation",
    "kl_divergence",
    "sparse_categorical_crossentropy",
    "sparse_categorical_focal_crossentropy",
]
