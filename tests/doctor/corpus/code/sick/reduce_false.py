# expect: PQ331
import torch.nn.functional as F


def losses(x, y):
    return F.cross_entropy(x, y, reduce=False)
