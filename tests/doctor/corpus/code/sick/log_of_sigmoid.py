# expect: PQ330
import torch


def bpr_loss(positive, negative):
    return -torch.log(torch.sigmoid(positive - negative)).mean()
