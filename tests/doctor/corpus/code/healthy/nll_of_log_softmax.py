# Log-probabilities go into nll_loss.
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))

    def forward(self, x):
        return self.net(x)


criterion = nn.NLLLoss()
loss = criterion(Net()(x), y)
