# expect: PQ304
import torch
import torch.nn as nn


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(100, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(x))


detector = Detector()
loss_fn = nn.BCEWithLogitsLoss(pos_weight=weights)
loss = loss_fn(detector(images), labels)
