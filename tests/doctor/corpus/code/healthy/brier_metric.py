# The Brier score, which is a measure and trains nothing.
import torch
import torch.nn.functional as F


def brier_score(logits, y):
    return F.mse_loss(F.softmax(logits, dim=1), F.one_hot(y, 10).float())
