# expect: PQ301
import torch.nn.functional as F

loss_fn = F.cross_entropy


def step(model, x, y):
    return loss_fn(F.softmax(model(x), dim=1), y)
