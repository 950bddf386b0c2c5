# What the name is depends on the turn of the loop.
import torch.nn.functional as F


def refine(model, x, y, turns):
    out = model(x)
    for _ in range(turns):
        loss = F.cross_entropy(out, y)
        loss.backward()
        out = F.softmax(model(x), dim=1)
