# The name of the softmax is bound again before the loss.
import torch.nn.functional as F


def step(model, head, x, y):
    out = F.softmax(model(x), dim=1)
    out = head(out)
    return F.cross_entropy(out, y)
