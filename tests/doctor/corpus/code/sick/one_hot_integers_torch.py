# expect: PQ306
import torch.nn.functional as F


def step(model, x, y):
    target = F.one_hot(y, num_classes=5)
    return F.cross_entropy(model(x), target)
