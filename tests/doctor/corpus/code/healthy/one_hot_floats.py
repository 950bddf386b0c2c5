# One-hot rows of floats are distributions to cross_entropy.
import torch.nn.functional as F


def step(model, x, y):
    return F.cross_entropy(model(x), F.one_hot(y, 10).float())
