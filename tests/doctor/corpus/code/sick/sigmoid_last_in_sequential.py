# expect: PQ304
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(10, 1), nn.Sigmoid())


def closure(x, y):
    return F.binary_cross_entropy_with_logits(net(x), y)
