# expect: PQ303
import torch.nn as nn
import torch.nn.functional as F

criterion = nn.NLLLoss()


def step(model, x, y):
    p = F.softmax(model(x), dim=1)
    return criterion(p, y)
