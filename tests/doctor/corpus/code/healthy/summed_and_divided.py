# A sum, divided by the rows.
import torch.nn.functional as F


def step(model, x, y):
    return F.cross_entropy(model(x), y, reduction="sum") / x.size(0)
