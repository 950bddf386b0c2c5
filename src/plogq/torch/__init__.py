"""The PyTorch front door: replace `F.x` by `plogq.torch.x`.

The functions and modules named as in `torch.nn` have torch's signatures and numbers. What we add
is keyword-only (`SoftmaxOptions`); where we differ, a docstring says "Differs from torch".
"""

from plogq.torch._core import RowOptions, SoftmaxOptions, TemperedOptions
from plogq.torch._rows import Statistics
from plogq.torch.binary_losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_focal_loss,
)
from plogq.torch.divergences import gaussian_kl, js_divergence_loss, kl_div, nll_loss
from plogq.torch.modules import (
    BCELoss,
    BCEWithLogitsLoss,
    BinaryFocalLoss,
    BrierLoss,
    ConfidencePenalty,
    CrossEntropyLoss,
    DistillationLoss,
    FocalLoss,
    GaussianKL,
    JSDivergenceLoss,
    KLDivLoss,
    NLLLoss,
    SoftCrossEntropyLoss,
)
from plogq.torch.softmax_losses import (
    brier_loss,
    confidence_penalty,
    cross_entropy,
    distillation_loss,
    focal_loss,
    soft_cross_entropy,
)

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "BinaryFocalLoss",
    "BrierLoss",
    "ConfidencePenalty",
    "CrossEntropyLoss",
    "DistillationLoss",
    "FocalLoss",
    "GaussianKL",
    "JSDivergenceLoss",
    "KLDivLoss",
    "NLLLoss",
    "RowOptions",
    "SoftCrossEntropyLoss",
    "SoftmaxOptions",
    "Statistics",
    "TemperedOptions",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "binary_focal_loss",
    "brier_loss",
    "confidence_penalty",
    "cross_entropy",
    "distillation_loss",
    "focal_loss",
    "gaussian_kl",
    "js_divergence_loss",
    "kl_div",
    "nll_loss",
    "soft_cross_entropy",
]
