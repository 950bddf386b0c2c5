# expect: PQ316
import torch.nn as nn
import torch.nn.functional as F

mse = nn.MSELoss()


def train_step(model, x, y, optimizer):
    probabilities = F.softmax(model(x), dim=1)
    loss = mse(probabilities, F.one_hot(y, 10).float())
    loss.backward()
    optimizer.step()
