# expect: PQ301
import torch.nn as nn

net = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 4), nn.Softmax(dim=-1)).cuda()
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)


def step(batch):
    outputs = net(batch["x"])
    return loss_fn(outputs, batch["y"])
