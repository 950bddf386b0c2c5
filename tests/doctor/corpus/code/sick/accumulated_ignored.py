# expect: PQ332
import torch.nn.functional as F

ACCUMULATION = 8


def micro_step(model, x, y, pad):
    loss = F.cross_entropy(model(x).transpose(1, 2), y, ignore_index=pad)
    (loss / ACCUMULATION).backward()
