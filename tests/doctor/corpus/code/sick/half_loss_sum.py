# expect: PQ333
import torch.nn.functional as F


def total(model, x, y):
    return F.cross_entropy(model(x).half(), y, reduction="sum")
