# expect: PQ331
import torch.nn as nn

reconstruction = nn.MSELoss(size_average=False)
