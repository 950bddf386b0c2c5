# expect: PQ331
import torch.nn as nn

criterion = nn.CrossEntropyLoss()


def step(model, x, y):
    loss = criterion(model(x), y)
    loss = loss / x.size(0)
    loss.backward()
