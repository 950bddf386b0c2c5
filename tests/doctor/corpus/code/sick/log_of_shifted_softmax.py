# expect: PQ318
import torch
import torch.nn.functional as F

EPS = 1e-10


def entropy(logits):
    p = F.softmax(logits, dim=-1)
    return -(p * torch.log(p + EPS)).sum(-1)
