# Distillation, as PyTorch's kl_div takes it.
import torch.nn.functional as F


def distil(student, teacher, T):
    log_q = F.log_softmax(student / T, dim=-1)
    p = F.softmax(teacher / T, dim=-1)
    return F.kl_div(log_q, p, reduction="batchmean") * T**2
