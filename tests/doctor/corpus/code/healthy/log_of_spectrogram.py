# A spectrogram in decibels.
import torch

EPS = 1e-10


def decibels(power):
    return 10 * torch.log(power.clamp(min=EPS) + EPS)
