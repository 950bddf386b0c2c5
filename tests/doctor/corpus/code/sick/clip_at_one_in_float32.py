# expect: PQ318
import torch


def bce(p, y):
    p = p.clamp(1e-12, 1.0 - 1e-12)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()
