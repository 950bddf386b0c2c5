# expect: PQ306
import torch
from torch.nn import NLLLoss
from torch.nn.functional import log_softmax, one_hot

criterion = NLLLoss()


def step(model, x, y):
    return criterion(log_softmax(model(x), dim=1), one_hot(y, 7))
