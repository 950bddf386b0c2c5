# A function of this file that is called softmax and is not one.
import torch.nn.functional as F


def softmax(x):
    return x - x.mean(dim=1, keepdim=True)


def step(model, x, y):
    return F.cross_entropy(softmax(model(x)), y)
