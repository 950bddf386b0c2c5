# expect: PQ305
import torch
import torch.nn.functional as F


def divergence(a, b):
    log_a = torch.log_softmax(a, dim=-1)
    log_b = torch.log_softmax(b, dim=-1)
    return F.kl_div(log_a, log_b, reduction="batchmean")
