"""Gradient accumulation with the gradient of one big batch.

Texts of unequal length, padded and masked, in four micro-batches. A mean of the micro-batches'
means weighs a token in a short batch more than one in a long batch; a sum over the count of the
whole batch does not. Run it: `python examples/gradient_accumulation.py`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import plogq.torch as pt

IGNORED = -100


def make_batch() -> tuple[nn.Module, Tensor, Tensor]:
    """Give a model, the features of 16 texts of up to 32 tokens, and their labels."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(24, 48), nn.Tanh(), nn.Linear(48, 50)).double()
    features, labels = torch.randn(16, 32, 24).double(), torch.randint(50, (16, 32))
    lengths = torch.linspace(1, 32, 16).long()
    labels[torch.arange(32) >= lengths[:, None]] = IGNORED
    return model, features, labels


def gradient_of(model: nn.Module, losses: list[Tensor]) -> Tensor:
    """Accumulate the gradients of the losses one by one, and give them as one vector."""
    model.zero_grad()
    for loss in losses:
        loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def compare() -> dict[str, float]:
    """Give the relative error of two ways to accumulate, against one big batch."""
    model, features, labels = make_batch()

    def logits_of(rows: slice) -> Tensor:
        return model(features[rows]).flatten(0, 1)

    micro = [slice(i, i + 4) for i in range(0, 16, 4)]
    whole = gradient_of(model, [F.cross_entropy(logits_of(slice(None)), labels.flatten())])
    means = [
        F.cross_entropy(logits_of(rows), labels[rows].flatten()) / len(micro) for rows in micro
    ]
    count = (labels != IGNORED).sum()  # of the global batch: with several ranks, all-reduced
    parts = [
        pt.cross_entropy(logits_of(rows), labels[rows].flatten(), denominator=count)
        for rows in micro
    ]
    return {
        "mean of means": float((gradient_of(model, means) - whole).norm() / whole.norm()),
        "denominator=count": float((gradient_of(model, parts) - whole).norm() / whole.norm()),
    }


if __name__ == "__main__":
    for name, error in compare().items():
        print(f"{name:>18}: the accumulated gradient is off by {error:.1e}")
