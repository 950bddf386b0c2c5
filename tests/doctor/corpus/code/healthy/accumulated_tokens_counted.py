# Tokens are summed, and divided by all of them.
import torch.nn.functional as F


def micro_step(logits, y, tokens):
    flat = logits.view(-1, logits.size(-1))
    loss = F.cross_entropy(flat, y.view(-1), ignore_index=-100, reduction="sum")
    (loss / tokens).backward()
