# log(1 + x), of what is no probability.
import torch


def compress(spectrum):
    return torch.log(spectrum + 1.0)
