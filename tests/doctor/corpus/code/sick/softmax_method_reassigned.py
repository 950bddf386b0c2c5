# expect: PQ301
import torch.nn.functional as F


def loss(model, x, y):
    out = model(x)
    out = out.softmax(dim=-1)
    return F.cross_entropy(out, y)
