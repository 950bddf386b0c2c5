# expect: PQ301
import lightning as L
import torch
from torch import nn


class Module(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x):
        return torch.softmax(self.net(x), dim=1)

    def training_step(self, batch, index):
        x, y = batch
        return self.loss(self(x), y)
