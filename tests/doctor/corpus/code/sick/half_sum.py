# expect: PQ333
import torch


def perplexity(nll):
    total = torch.sum(nll.to(torch.float16))
    return torch.exp(total / nll.numel())
