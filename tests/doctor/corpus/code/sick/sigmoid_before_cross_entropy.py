# expect: PQ304
import torch
from torch.nn import CrossEntropyLoss

criterion = CrossEntropyLoss()


def step(model, x, y):
    scores = torch.sigmoid(model(x))
    return criterion(scores, y)
