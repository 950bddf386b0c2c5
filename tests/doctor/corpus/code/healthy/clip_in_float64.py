# NumPy computes in float64, which holds 1 - 1e-15.
import numpy as np


def log_loss(y, p):
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
