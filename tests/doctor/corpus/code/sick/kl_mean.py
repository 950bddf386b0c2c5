# expect: PQ305
import torch.nn.functional as F


def distil(student_logits, teacher_logits):
    log_q = F.log_softmax(student_logits, dim=-1)
    p = F.softmax(teacher_logits, dim=-1)
    return F.kl_div(log_q, p)
