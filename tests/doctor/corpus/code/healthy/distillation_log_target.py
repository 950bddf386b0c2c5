# Both are log-probabilities, and the loss is told so.
import torch.nn as nn
import torch.nn.functional as F

kl = nn.KLDivLoss(reduction="batchmean", log_target=True)


def distil(student, teacher):
    return kl(F.log_softmax(student, -1), F.log_softmax(teacher, -1))
