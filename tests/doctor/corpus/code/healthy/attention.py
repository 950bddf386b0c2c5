# The softmax of attention is inside a model whose outputs are logits.
import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, 5)

    def forward(self, x):
        weights = F.softmax(self.q(x) @ self.k(x).transpose(-1, -2), dim=-1)
        return self.out((weights @ self.v(x)).mean(dim=1))


model = Attention()
loss = F.cross_entropy(model(x), y)
