# A squared error that is looked at only.
import torch
import torch.nn as nn
import torch.nn.functional as F

mse = nn.MSELoss()


@torch.no_grad()
def look(model, x, y):
    return mse(F.softmax(model(x), 1), F.one_hot(y, 10).float())
