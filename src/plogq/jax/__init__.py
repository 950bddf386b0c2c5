"""The JAX front door: pure functions by optax's names and conventions, and more.

Each gives the loss of each row unless `reduction` says otherwise, takes `axis` and `where`, and has
its gradient written beside it: `jit`, `vmap`, `grad`, `jvp`, `scan`, `checkpoint`, `shard_map` and
`jax.export` go through. Where we differ from optax, a docstring says "Differs from optax".
`explain(cross_entropy, logits, labels)` says which engine answers a call and why none before it
does; `with engine("xla"):` lets one alone answer.
"""

from plogq.extras import needed_by

with needed_by("plogq.jax"):
    import jax as _jax  # noqa: F401

from plogq.jax.binary_losses import (
    asymmetric_loss,
    binary_cross_entropy,
    binary_focal_loss,
    sigmoid_binary_cross_entropy,
)
from plogq.jax.divergences import (
    gaussian_kl,
    js_divergence_loss,
    kl_divergence,
    kl_divergence_with_log_targets,
    nll_loss,
    reverse_kl_loss,
)
from plogq.jax.engines import ENGINES
from plogq.jax.head import linear_cross_entropy
from plogq.jax.options import (
    ElementOptions,
    ReducedOptions,
    RowOptions,
    SoftmaxOptions,
    TemperedOptions,
    WeighedOptions,
)
from plogq.jax.softmax_losses import (
    brier_loss,
    confidence_penalty,
    cross_entropy,
    distillation_loss,
    focal_loss,
    generalised_cross_entropy,
    poly_loss,
    poly_loss_cross_entropy,
    softmax_cross_entropy,
    softmax_cross_entropy_with_integer_labels,
)
from plogq.kernels.question import Statistics

explain, engine = ENGINES.explain, ENGINES.only
safe_softmax_cross_entropy = softmax_cross_entropy
"""`softmax_cross_entropy`: optax has two, of which this is the safe one."""

__all__ = [
    "ElementOptions",
    "ReducedOptions",
    "RowOptions",
    "SoftmaxOptions",
    "Statistics",
    "TemperedOptions",
    "WeighedOptions",
    "asymmetric_loss",
    "binary_cross_entropy",
    "binary_focal_loss",
    "brier_loss",
    "confidence_penalty",
    "cross_entropy",
    "distillation_loss",
    "engine",
    "explain",
    "focal_loss",
    "gaussian_kl",
    "generalised_cross_entropy",
    "js_divergence_loss",
    "kl_divergence",
    "kl_divergence_with_log_targets",
    "linear_cross_entropy",
    "nll_loss",
    "poly_loss",
    "poly_loss_cross_entropy",
    "reverse_kl_loss",
    "safe_softmax_cross_entropy",
    "sigmoid_binary_cross_entropy",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
]
