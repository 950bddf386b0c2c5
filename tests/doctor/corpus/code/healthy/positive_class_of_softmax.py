# The probability of one of two classes is that of a yes.
import torch
import torch.nn.functional as F


def step(model, x, y):
    p = torch.softmax(model(x), dim=1)[:, 1]
    return F.binary_cross_entropy(p, y)
