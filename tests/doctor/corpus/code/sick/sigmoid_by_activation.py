# expect: PQ304
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 1)
        self.activation = nn.Sigmoid()

    def forward(self, x):
        x = self.fc(x)
        x = self.activation(x)
        return x.squeeze(-1)


def fit(data):
    net = Net()
    criterion = nn.BCEWithLogitsLoss()
    for x, y in data:
        output = net.forward(x)
        loss = criterion(output, y.float())
        loss.backward()
