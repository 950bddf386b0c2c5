# expect: PQ309
import torch
import torch.nn.functional as F
from torch import nn


def step(features, y):
    probabilities = torch.softmax(nn.Linear(64, 12)(features), dim=1)
    return F.binary_cross_entropy(probabilities, y)
