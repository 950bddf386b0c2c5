# expect: PQ310
import torch.nn as nn

model = nn.Sequential(nn.Linear(30, 1), nn.Softmax(dim=-1))
