# A sample that is nearly one-hot.
import torch.nn.functional as F


def sample(logits, decoder, x):
    z = F.gumbel_softmax(logits, tau=0.5, hard=True)
    return F.mse_loss(decoder(z), x)
