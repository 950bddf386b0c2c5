# expect: PQ303
import torch
from torch import nn

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCELoss()
for x, y in data:
    loss = criterion(model(x).squeeze(1), y)
