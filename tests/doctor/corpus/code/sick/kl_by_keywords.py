# expect: PQ305
import torch.nn.functional as F


def loss(student, teacher):
    p = F.softmax(teacher, dim=1)
    return F.kl_div(input=student.softmax(dim=1), target=p, reduction="sum")
