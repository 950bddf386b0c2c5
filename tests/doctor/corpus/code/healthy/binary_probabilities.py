# A sigmoid, and the loss of probabilities.
import torch.nn as nn

net = nn.Sequential(nn.Linear(10, 1), nn.Sigmoid())
loss = nn.BCELoss()(net(x), y)
