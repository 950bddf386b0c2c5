# The policy's probabilities make a distribution.
import torch
from torch.distributions import Categorical


def act(policy, state):
    p = torch.softmax(policy(state), dim=-1)
    d = Categorical(p)
    a = d.sample()
    return a, d.log_prob(a)
