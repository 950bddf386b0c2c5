"""The mathematics of plogq: each formula in one place, on any Array API array.

Measures (`entropy`, `kl_divergence`, …) take probabilities, p the truth and q the model, and give
nats unless `unit` says otherwise. Losses (`*_from_logits`, `*_from_probs`) give the value of each
row beside its gradient, in nats. Every kernel and every framework's front door is held to these.
"""

from plogq.formulas._loss import ValueAndGrad
from plogq.formulas.binary_losses import (
    asymmetric_from_logits,
    binary_cross_entropy_from_logits,
    binary_focal_from_logits,
    sigmoid,
)
from plogq.formulas.continuous import (
    Density,
    Quadrature,
    density_cross_entropy,
    density_entropy,
    density_kl_divergence,
    elbo,
    normal_entropy,
    normal_kl,
)
from plogq.formulas.divergence_losses import js_divergence_from_logits, reverse_kl_from_logits
from plogq.formulas.information import (
    Decomposition,
    cross_entropy,
    decompose,
    entropy,
    js_distance,
    js_divergence,
    kl_divergence,
    perplexity,
    surprisal,
)
from plogq.formulas.joint import (
    conditional_entropy,
    entropy_of_counts,
    information_gain,
    information_gain_from_counts,
    joint_entropy,
    mutual_information,
)
from plogq.formulas.probability_losses import (
    binary_cross_entropy_from_probs,
    cross_entropy_from_probs,
    squared_error,
    squared_error_from_probs,
)
from plogq.formulas.softmax_losses import (
    cross_entropy_from_logits,
    distillation_from_logits,
    focal_from_logits,
    kl_divergence_from_logits,
    squared_error_from_logits,
    z_loss_from_logits,
)
from plogq.formulas.softmax_state import LogSumExp, log_softmax, log_sum_exp, logsumexp, softmax
from plogq.formulas.surprisal_losses import (
    generalised_cross_entropy_from_logits,
    poly_from_logits,
)
from plogq.formulas.units import NATS_PER_UNIT, Unit, from_nats

__all__ = [
    "NATS_PER_UNIT",
    "Decomposition",
    "Density",
    "LogSumExp",
    "Quadrature",
    "Unit",
    "ValueAndGrad",
    "asymmetric_from_logits",
    "binary_cross_entropy_from_logits",
    "binary_cross_entropy_from_probs",
    "binary_focal_from_logits",
    "conditional_entropy",
    "cross_entropy",
    "cross_entropy_from_logits",
    "cross_entropy_from_probs",
    "decompose",
    "density_cross_entropy",
    "density_entropy",
    "density_kl_divergence",
    "distillation_from_logits",
    "elbo",
    "entropy",
    "entropy_of_counts",
    "focal_from_logits",
    "from_nats",
    "generalised_cross_entropy_from_logits",
    "information_gain",
    "information_gain_from_counts",
    "joint_entropy",
    "js_distance",
    "js_divergence",
    "js_divergence_from_logits",
    "kl_divergence",
    "kl_divergence_from_logits",
    "log_softmax",
    "log_sum_exp",
    "logsumexp",
    "mutual_information",
    "normal_entropy",
    "normal_kl",
    "perplexity",
    "poly_from_logits",
    "reverse_kl_from_logits",
    "sigmoid",
    "softmax",
    "squared_error",
    "squared_error_from_logits",
    "squared_error_from_probs",
    "surprisal",
    "z_loss_from_logits",
]
