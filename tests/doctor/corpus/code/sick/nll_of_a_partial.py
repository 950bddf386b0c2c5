# expect: PQ303
from functools import partial

import torch.nn.functional as F

loss_fn = partial(F.nll_loss, ignore_index=0)


def step(model, x, y):
    return loss_fn(F.softmax(model(x), -1), y)
