# The probabilities weigh the loss, which is of logits.
import torch
import torch.nn.functional as F


def focal(logits, y):
    p = torch.sigmoid(logits)
    bce = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    return ((y - p) ** 2 * bce).mean()
