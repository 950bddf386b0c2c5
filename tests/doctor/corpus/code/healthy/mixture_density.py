# A softmax of mixture weights beside a regression.
import torch
import torch.nn as nn


class MDN(nn.Module):
    def __init__(self):
        super().__init__()
        self.pi = nn.Sequential(nn.Linear(8, 5), nn.Softmax(dim=1))
        self.mu = nn.Linear(8, 5)

    def forward(self, x):
        return self.pi(x), self.mu(x)


pi, mu = MDN()(x)
loss = nn.MSELoss()((pi * mu).sum(1), y)
