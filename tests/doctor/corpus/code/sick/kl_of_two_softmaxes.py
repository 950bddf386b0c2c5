# expect: PQ305
import torch.nn as nn
import torch.nn.functional as F

kl = nn.KLDivLoss(reduction="batchmean")


def distil(student_logits, teacher_logits, T):
    return kl(F.softmax(student_logits / T, dim=1), F.softmax(teacher_logits / T, dim=1)) * T * T
