"""The PyTorch front door: replace `F.x` by `plogq.torch.x`.

The functions and modules named as in `torch.nn` have torch's signatures and numbers. What we add
is keyword-only (`SoftmaxOptions`); where we differ, a docstring says "Differs from torch".
`explain(cross_entropy, logits, target)` says which engine answers a call and why none before it
does; `with engine("formula"):` forces one.
"""

from plogq.extras import needed_by

with needed_by("plogq.torch"):
    import torch as _torch  # noqa: F401

from plogq.kernels.question import Statistics
from plogq.torch.binary_losses import (
    asymmetric_loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_focal_loss,
)
from plogq.torch.distillation import distillation_loss
from plogq.torch.divergences import (
    gaussian_kl,
    js_divergence_loss,
    kl_div,
    nll_loss,
    reverse_kl_loss,
)
from plogq.torch.engines import ENGINES
from plogq.torch.head import LowRank, linear_cross_entropy, linear_logprobs
from plogq.torch.head_distillation import linear_distillation_loss
from plogq.torch.head_module import LinearCrossEntropyLoss
from plogq.torch.modules import (
    AsymmetricLoss,
    BCELoss,
    BCEWithLogitsLoss,
    BinaryFocalLoss,
    BrierLoss,
    ConfidencePenalty,
    CrossEntropyLoss,
    DistillationLoss,
    FocalLoss,
    GaussianKL,
    GeneralisedCrossEntropyLoss,
    JSDivergenceLoss,
    KLDivLoss,
    NLLLoss,
    PolyLoss,
    ReverseKLLoss,
    SoftCrossEntropyLoss,
)
from plogq.torch.options import ElementOptions, RowOptions, SoftmaxOptions, TemperedOptions
from plogq.torch.questions import TokenLogprobs
from plogq.torch.recalibrated import Recalibrated
from plogq.torch.softmax_losses import (
    brier_loss,
    confidence_penalty,
    cross_entropy,
    focal_loss,
    soft_cross_entropy,
)
from plogq.torch.surprisal_losses import generalised_cross_entropy, poly_loss

from plogq.torch import parallel  # isort: skip  # it is made of what is above

explain, engine = ENGINES.explain, ENGINES.only

__all__ = [
    "AsymmetricLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BinaryFocalLoss",
    "BrierLoss",
    "ConfidencePenalty",
    "CrossEntropyLoss",
    "DistillationLoss",
    "ElementOptions",
    "FocalLoss",
    "GaussianKL",
    "GeneralisedCrossEntropyLoss",
    "JSDivergenceLoss",
    "KLDivLoss",
    "LinearCrossEntropyLoss",
    "LowRank",
    "NLLLoss",
    "PolyLoss",
    "Recalibrated",
    "ReverseKLLoss",
    "RowOptions",
    "SoftCrossEntropyLoss",
    "SoftmaxOptions",
    "Statistics",
    "TemperedOptions",
    "TokenLogprobs",
    "asymmetric_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
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
    "kl_div",
    "linear_cross_entropy",
    "linear_distillation_loss",
    "linear_logprobs",
    "nll_loss",
    "parallel",
    "poly_loss",
    "reverse_kl_loss",
    "soft_cross_entropy",
]
