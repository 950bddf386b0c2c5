# Consistency of two models: both are softmaxes.
import torch.nn.functional as F


def consistency(student, teacher):
    return F.mse_loss(F.softmax(student, dim=1), F.softmax(teacher, dim=1).detach())
