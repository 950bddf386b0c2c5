# expect: PQ318
import numpy as np


def log_loss(y, p):
    p = np.clip(p, 1e-7, 1 - 1 - 1e-7)
    return -(y * np.log(p)).sum(axis=1).mean()
