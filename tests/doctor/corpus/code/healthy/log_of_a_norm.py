# log of a softplus, which is no softmax.
import torch
import torch.nn.functional as F


def log_rate(x):
    return torch.log(F.softplus(x) + 1e-8)
